//! `/time …`: what a line asks for, and what became of it.

use super::{
    App, ConnectLink, EntryList, Logged, ReportOutcome, Request, TimerOutcome, Typed,
    projects::{Chosen, Linked},
};
use crate::{
    domain::{
        period::Period,
        project::Project,
        provider::Provider,
        time_command::{self, LogLine, ParseError, StartLine, TimeCommand},
        time_entry::Changed,
    },
    error::Failed,
};

/// What became of a typed line.
#[derive(Debug)]
pub enum CommandOutcome {
    /// It is an entry now.
    Logged(Box<Logged>),
    /// The last change was taken back; `None` if there was none.
    Undone(Option<Box<Changed>>),
    /// Nothing was typed: the form is to be opened.
    Form,
    /// Help was asked for.
    Help,
    /// What was logged.
    Report(ReportOutcome),
    /// The last entries, to be changed.
    Entries(EntryList),
    /// All projects of the workspace.
    Projects(Vec<Project>),
    /// What the channel is linked to.
    Linked(Linked),
    /// What became of the person's timer.
    Timer(TimerOutcome),
    /// A timer is to be started, and nothing was said about what: its form is to be opened.
    StartForm(StartLine),
    /// A calendar is to be connected: this one, or one of those that are offered.
    Connect(Option<Provider>, Option<ConnectLink>),
    /// The form for preferences is to be opened.
    Preferences,
    /// So many calendars are being read now.
    Reading(usize),
    /// What came of a code that a page showed.
    Typed(Box<Typed>),
    /// Entries come as a file: of these days, or all of them.
    Exporting(Option<Period>),
    /// How the line would be read, and to which project it would go; nothing was saved.
    Explained(LogLine, Chosen),
    /// A time, but no word about what it was for; nothing was saved.
    OnlyTime(LogLine),
    /// The line could not be read; nothing was saved.
    NotUnderstood(ParseError),
}

impl App {
    /// Does what the line after `/time` says.
    ///
    /// # Errors
    /// The database does not answer in time. [`Failed::is_certain`] says whether it is known that nothing
    /// was stored.
    pub async fn time_command(
        &self,
        request: Request<'_>,
        text: &str,
    ) -> Result<CommandOutcome, Failed> {
        match time_command::parse(text, &self.reading(request.member)) {
            Ok(TimeCommand::Log(line)) if line.description.is_empty() => {
                Ok(CommandOutcome::OnlyTime(line))
            }
            Ok(TimeCommand::Log(line)) => {
                let logged = self.log_line(request, line, text).await?;
                Ok(CommandOutcome::Logged(Box::new(logged)))
            }
            // What is rare is kept apart, so that the many entries under way at once stay small.
            Ok(verb) => Box::pin(self.verb(request, verb)).await,
            Err(error) => Ok(CommandOutcome::NotUnderstood(error)),
        }
    }

    async fn verb(
        &self,
        request: Request<'_>,
        verb: TimeCommand,
    ) -> Result<CommandOutcome, Failed> {
        let member = request.member;
        Ok(match verb {
            TimeCommand::Empty => CommandOutcome::Form,
            TimeCommand::Help | TimeCommand::Log(_) => CommandOutcome::Help,
            TimeCommand::Report(asked) => {
                CommandOutcome::Report(self.asked_report(member, asked).await?)
            }
            TimeCommand::Edit | TimeCommand::Delete | TimeCommand::Move => {
                CommandOutcome::Entries(self.entry_list(member, 0).await?)
            }
            TimeCommand::Projects => CommandOutcome::Projects(self.projects(member).await?),
            TimeCommand::Link(typed) => {
                CommandOutcome::Linked(self.link(request, typed.as_deref()).await?)
            }
            TimeCommand::Unlink => {
                let before = self.link_channel(member, request.channel, None).await?;
                CommandOutcome::Linked(Linked::Unlinked(before))
            }
            TimeCommand::Connect(provider) => {
                // Where one is offered only, it is the one that is meant.
                let only = match *self.offered() {
                    [only] => Some(only),
                    _ => None,
                };
                let provider = provider.or(only);
                let link = match provider {
                    Some(provider) => self.connect_link(member, provider, None).await?,
                    None => None,
                };
                CommandOutcome::Connect(provider, link)
            }
            TimeCommand::ConnectCode(code) => {
                CommandOutcome::Typed(Box::new(self.type_code(member, &code).await?))
            }
            TimeCommand::Sync => CommandOutcome::Reading(self.read_now(member).await?),
            TimeCommand::Prefs => CommandOutcome::Preferences,
            TimeCommand::Export { period, .. } => {
                self.ask_for_entries(member, request.key, period).await?;
                CommandOutcome::Exporting(period)
            }
            TimeCommand::Start(line) if line.description.is_empty() => {
                CommandOutcome::StartForm(line)
            }
            TimeCommand::Start(line) => {
                CommandOutcome::Timer(self.start_timer(request, &line).await?)
            }
            TimeCommand::Stop => CommandOutcome::Timer(self.stop_running(request).await?),
            TimeCommand::Status => CommandOutcome::Timer(self.timer_status(member).await?),
            TimeCommand::Cancel => CommandOutcome::Timer(self.cancel_running(request).await?),
            TimeCommand::Undo => {
                CommandOutcome::Undone(self.undo_last(request).await?.map(Box::new))
            }
            TimeCommand::Explain(rest) => match time_command::parse(&rest, &self.reading(member)) {
                Ok(TimeCommand::Log(line)) => {
                    let chosen = self.project_of(request, &line).await?;
                    CommandOutcome::Explained(line, chosen)
                }
                Ok(_) => CommandOutcome::Help,
                Err(error) => CommandOutcome::NotUnderstood(error),
            },
        })
    }
}
