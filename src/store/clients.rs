//! The clients of a workspace.

use uuid::Uuid;

use super::{Store, StoreError, projects::take_workspace, read, tx};
use crate::domain::project::Client;

/// How many clients a workspace may have: what one reading of them may hold.
const CLIENTS_MAX: i64 = 10_000;

/// What became of making or renaming a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientChange {
    /// It was done.
    Done(Client),
    /// Another client is called so.
    Taken(Client),
    /// The workspace has no such client.
    Unknown,
    /// The workspace has as many clients as it can have.
    TooMany,
}

type ClientRow = (Uuid, String, String);

fn client_of((id, slug, name): ClientRow) -> Client {
    Client { id, slug, name }
}

/// The client with this slug that is not `$id`.
macro_rules! other_client {
    ($conn:ident, $integration_id:expr, $slug:expr, $id:expr) => {{
        let row: Option<ClientRow> = sqlx::query_as(
            "SELECT id, slug, name FROM clients WHERE slack_integration_id = $1 AND slug = $2 AND id <> $3",
        )
        .bind($integration_id)
        .bind($slug)
        .bind($id)
        .fetch_optional(&mut *$conn)
        .await?;
        row.map(client_of)
    }};
}

impl Store {
    /// All clients of a workspace.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn clients(&self, slack_integration_id: Uuid) -> Result<Vec<Client>, StoreError> {
        let rows: Vec<ClientRow> = read!(self, db => {
            sqlx::query_as("SELECT id, slug, name FROM clients WHERE slack_integration_id = $1")
                .bind(slack_integration_id)
                .fetch_all(db)
                .await
        })?;
        Ok(rows.into_iter().map(client_of).collect())
    }

    /// Makes a client under an id that stands for the request: asked again, it is the one that was made then, whatever
    /// it is called by now. Asked twice for one slug, the second is told that it is taken.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn create_client(
        &self,
        slack_integration_id: Uuid,
        id: Uuid,
        slug: &str,
        name: &str,
    ) -> Result<ClientChange, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            take_workspace!(conn, slack_integration_id);
            let made: Option<ClientRow> =
                sqlx::query_as("SELECT id, slug, name FROM clients WHERE slack_integration_id = $1 AND id = $2")
                    .bind(slack_integration_id)
                    .bind(id)
                    .fetch_optional(&mut *conn)
                    .await?;
            if let Some(made) = made {
                return Ok(ClientChange::Done(client_of(made)));
            }
            if let Some(other) = other_client!(conn, slack_integration_id, slug, id) {
                return Ok(ClientChange::Taken(other));
            }
            let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM clients WHERE slack_integration_id = $1")
                .bind(slack_integration_id)
                .fetch_one(&mut *conn)
                .await?;
            if count >= CLIENTS_MAX {
                return Ok(ClientChange::TooMany);
            }
            sqlx::query(
                "INSERT INTO clients (id, slack_integration_id, slug, name, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $5)",
            )
            .bind(id)
            .bind(slack_integration_id)
            .bind(slug)
            .bind(name)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(ClientChange::Done(Client { id, slug: slug.to_owned(), name: name.to_owned() }))
        })
    }

    /// Gives a client another name, for all its projects.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn rename_client(
        &self,
        slack_integration_id: Uuid,
        client_id: Uuid,
        slug: &str,
        name: &str,
    ) -> Result<ClientChange, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            take_workspace!(conn, slack_integration_id);
            if let Some(other) = other_client!(conn, slack_integration_id, slug, client_id) {
                return Ok(ClientChange::Taken(other));
            }
            let renamed = sqlx::query(
                "UPDATE clients SET slug = $3, name = $4, updated_at = $5 WHERE slack_integration_id = $1 AND id = $2",
            )
            .bind(slack_integration_id)
            .bind(client_id)
            .bind(slug)
            .bind(name)
            .bind(now)
            .execute(&mut *conn)
            .await?
            .rows_affected();
            if renamed == 0 {
                return Ok(ClientChange::Unknown);
            }
            // A form that was opened before shows the old name and would bring it back.
            sqlx::query(
                "UPDATE projects SET version = version + 1, updated_at = $3 \
                 WHERE slack_integration_id = $1 AND client_id = $2",
            )
            .bind(slack_integration_id)
            .bind(client_id)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(ClientChange::Done(Client { id: client_id, slug: slug.to_owned(), name: name.to_owned() }))
        })
    }
}
