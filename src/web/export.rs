//! The caller's entries as a file.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Site,
    fields::{Asked, Parameters},
    lists::{self, DAY},
    problem::Problem,
    session::Caller,
};
use crate::{
    app::{EntryExport, ExportSpan},
    error::{Failed, chain},
};

/// Which entries are exported.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportAsked {
    /// From this day on.
    #[param(value_type = Option<NaiveDate>, nullable = false)]
    from: Option<String>,
    /// Up to this day.
    #[param(value_type = Option<NaiveDate>, nullable = false)]
    to: Option<String>,
}

impl Asked for ExportAsked {
    const FIELDS: &'static [(&'static str, &'static str)] = &[("from", DAY), ("to", DAY)];
}

/// Time entries as CSV
///
/// The caller's, the oldest day first; the first line names the columns. A text that begins like a formula has an
/// apostrophe in front.
#[utoipa::path(
    get, path = "/time-entries/export", operation_id = "exportTimeEntries", tag = "Time entries",
    params(ExportAsked),
    responses((
        status = 200, description = "All of them.", content_type = "text/csv", body = String,
        headers(("Content-Disposition" = String, description = "A name for the file.")),
    )),
)]
pub(super) async fn entries(
    State(site): State<Site>,
    caller: Caller,
    Parameters(asked): Parameters<ExportAsked>,
) -> Result<Response, Problem> {
    let (from, to) = lists::days(asked.from.as_deref(), asked.to.as_deref())?;
    let span = ExportSpan { from, to };
    let mut export = EntryExport::of_member(site.app.store().clone(), &caller.member, span);
    let failed = move |error| site.app.failed("exporting entries", error);
    // What goes wrong at once is still a problem; later the answer can only break off.
    let first = export.next().await.map_err(&failed)?.unwrap_or_default();
    let rest = stream::try_unfold((export, failed), |(mut export, failed)| async move {
        match export.next().await {
            Ok(lines) => Ok(lines.map(|lines| (Bytes::from(lines), (export, failed)))),
            Err(error) => Err(broken_off(failed(error))),
        }
    });
    let lines = stream::iter([Ok(Bytes::from(first))]).chain(rest);
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present",
        ),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"billops-entries.csv\"",
        ),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn broken_off(failed: Failed) -> Failed {
    tracing::error!(reference = %failed.reference, "export.broken_off: {}", chain(&failed));
    failed
}
