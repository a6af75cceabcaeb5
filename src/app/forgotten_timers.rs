//! Asking people about timers that they may have forgotten, once.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{
        member::Member,
        timer::{LONG, LikelyEnd, Timer},
    },
    error::Failed,
};

/// How many people are asked about their timers in one go; the next go is a minute later.
const ASKED_AT_ONCE: u32 = 500;

/// Somebody is to be asked whether their timer was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerQuestion {
    /// Who.
    pub member: Member,
    /// Which timer.
    pub timer: Timer,
    /// Until when it most likely was right.
    pub end: LikelyEnd,
    /// When they were to be asked.
    due: DateTime<Utc>,
    /// When they are asked if it does not become known how the asking ended.
    claimed: DateTime<Utc>,
}

impl App {
    /// Asks for a question about each timer that may have been forgotten by now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ask_forgotten_timers(&self) -> Result<(), Failed> {
        let failed = |error| self.failed("looking for forgotten timers", error);
        let timers = self
            .store
            .timers_to_ask(ASKED_AT_ONCE)
            .await
            .map_err(failed)?;
        for timer in timers {
            let job = crate::jobs::Job::AskTimer {
                binding: timer.binding_id,
                timer: timer.timer_id,
            };
            self.store
                .add_job_once(&job.to_row())
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Takes it upon the caller to ask about this timer, if it is time to and nobody else does. How that
    /// ended is told with [`timer_asked`](Self::timer_asked) or
    /// [`timer_not_asked`](Self::timer_not_asked); where it never is, the person is asked later.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_timer_question(
        &self,
        binding_id: Uuid,
        timer_id: Uuid,
    ) -> Result<Option<TimerQuestion>, Failed> {
        let Some(member) = self.member_by_binding(binding_id).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        let Some(timer) = self.timer(&member).await?.filter(|t| t.id == timer_id) else {
            return Ok(None);
        };
        let Some(due) = timer.ask_at.filter(|at| *at <= now) else {
            return Ok(None);
        };
        let claimed = now + LONG;
        if !self
            .set_ask(&member, &timer, Some(due), Some(claimed))
            .await?
        {
            return Ok(None);
        }
        Ok(Some(TimerQuestion {
            end: member.workday().likely_end(timer.started_at, now),
            member,
            timer,
            due,
            claimed,
        }))
    }

    /// The person was asked, and is not asked again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timer_asked(&self, question: &TimerQuestion) -> Result<(), Failed> {
        let TimerQuestion { member, timer, .. } = question;
        // Where this finds nothing to do, they have answered already.
        self.set_ask(member, timer, Some(question.claimed), None)
            .await?;
        Ok(())
    }

    /// The person was certainly not asked: they are to be now, or not before `not_before`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timer_not_asked(
        &self,
        question: &TimerQuestion,
        not_before: Option<DateTime<Utc>>,
    ) -> Result<(), Failed> {
        let TimerQuestion { member, timer, .. } = question;
        let at = not_before.unwrap_or(question.due);
        self.set_ask(member, timer, Some(question.claimed), Some(at))
            .await?;
        Ok(())
    }
}
