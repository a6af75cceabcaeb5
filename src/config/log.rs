//! How much is logged, and how.

use tracing_subscriber::EnvFilter;

use super::{Environment, Problem, Reader};

/// How much is logged, and how.
#[derive(Debug)]
pub struct LogConfig {
    /// `RUST_LOG`: how much.
    pub filter: EnvFilter,
    /// `LOG_FORMAT`.
    pub format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl LogConfig {
    /// The two settings alone: the log starts before anything else is looked at. `default` is how much is logged
    /// where `RUST_LOG` is not set.
    ///
    /// # Errors
    /// One of them is malformed, or both are.
    pub fn from_environment(
        environment: &Environment,
        default: &str,
    ) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(environment);
        Self::read(&mut reader, default).ok_or(reader.problems)
    }

    pub(super) fn read(reader: &mut Reader<'_>, default: &str) -> Option<Self> {
        let filter = reader.log_filter(default);
        let format = reader.log_format();
        Some(Self {
            filter: filter?,
            format: format?,
        })
    }
}

impl Reader<'_> {
    fn log_filter(&mut self, default: &str) -> Option<EnvFilter> {
        const NAME: &str = "RUST_LOG";
        let level = self.environment.get(NAME);
        let level = level.as_deref().unwrap_or(default);
        match level.parse() {
            Ok(filter) => Some(filter),
            Err(error) => self.problem(
                NAME,
                format!(
                    "is “{level}”, which cannot be read ({error}). Write error, warn, info, debug or trace, or more for \
                     one part, as in info,billops=debug."
                ),
            ),
        }
    }

    fn log_format(&mut self) -> Option<LogFormat> {
        const NAME: &str = "LOG_FORMAT";
        match self.environment.get(NAME).as_deref() {
            None | Some("text") => Some(LogFormat::Text),
            Some("json") => Some(LogFormat::Json),
            Some(other) => self.problem(
                NAME,
                format!("is “{other}”. Set it to text or json, or leave it out for text."),
            ),
        }
    }
}
