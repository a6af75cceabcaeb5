//! Reading calendars: the whole window each time, reconciled with what is stored.
//!
//! One request holds 2,500 events of Google's or 1,000 of Microsoft's, so reading all of the window costs no more than
//! asking for changes would; it always sees what comes into the window, and finds deletions by absence.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::{App, tokens::TokenProblem};
use crate::{
    calendar::{ReadProblem, RefreshProblem},
    domain::{calendar::AccountState, calendar_event::SyncCounts, member::Member},
    error::{Failed, chain},
    jobs::Job,
    store::{NewJob, Shown, StoreError, SyncTarget},
};

/// How far back and ahead a calendar is read.
const BACK: TimeDelta = TimeDelta::days(7);
const AHEAD: TimeDelta = TimeDelta::days(30);
/// How often a calendar is read.
pub(super) const SYNC_EVERY: TimeDelta = TimeDelta::minutes(15);
/// How long reading one may take.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// How long whoever asks waits for somebody else's reading, and how often they look.
const WAIT: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long the message that a calendar is connected waits for its first reading.
const FIRST_READING: Duration = Duration::from_secs(5);
/// The waits after a failure where the provider does not say; then the last one.
const RETRIES_MIN: [i64; 5] = [1, 5, 15, 60, 240];
/// Calendars that are looked up at a time when all are asked for.
const BATCH: u32 = 500;

/// Why a calendar was not read.
#[derive(Debug, thiserror::Error)]
pub enum SyncProblem {
    /// It is not chosen, or no longer there.
    #[error("the calendar is not read, or no longer there")]
    Gone,
    /// The account needs the person's consent again.
    #[error("the account needs the person's consent again")]
    NeedsReconnect,
    /// The provider asks to wait, or does not answer.
    #[error("the provider does not answer, or asks to wait {} s", .0.num_seconds())]
    Wait(TimeDelta),
    /// The database does not answer.
    #[error(transparent)]
    Failed(Failed),
}

impl App {
    /// Reads a calendar. Where somebody is reading it at this moment, theirs is waited for and counts.
    ///
    /// # Errors
    /// See [`SyncProblem`].
    pub async fn sync_calendar(&self, calendar_id: Uuid) -> Result<SyncCounts, SyncProblem> {
        let until = Instant::now() + WAIT;
        let begun = self.clock.now();
        loop {
            let target = self.sync_target(calendar_id).await?;
            let now = self.clock.now();
            if let Some(at) = target.next_attempt_at
                && at > now
            {
                return Err(SyncProblem::Wait(at - now));
            }
            let lease = self.clock.new_id();
            let is_ours = self
                .store
                .take_sync(calendar_id, lease, now + LEASE)
                .await
                .map_err(|error| self.sync_failed(error))?;
            if is_ours {
                return self.read_calendar(&target, lease).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let target = self.sync_target(calendar_id).await?;
            if let Some((at, counts)) = target.last
                && at >= begun
                && target.sync_until.is_none()
            {
                return Ok(counts);
            }
            if Instant::now() >= until {
                return Err(SyncProblem::Wait(TimeDelta::seconds(30)));
            }
        }
    }

    async fn sync_target(&self, calendar_id: Uuid) -> Result<SyncTarget, SyncProblem> {
        let target = self.store.sync_target(calendar_id).await;
        let target = target.map_err(|error| self.sync_failed(error))?;
        let target = target.ok_or(SyncProblem::Gone)?;
        if target.state == AccountState::Active {
            Ok(target)
        } else {
            Err(SyncProblem::NeedsReconnect)
        }
    }

    async fn read_calendar(
        &self,
        target: &SyncTarget,
        lease: Uuid,
    ) -> Result<SyncCounts, SyncProblem> {
        let now = self.clock.now();
        let window = [now - BACK, now + AHEAD];
        let asked = self
            .ask_provider(target.account_id, |token| async move {
                let (provider, id) = (target.provider, &target.provider_calendar_id);
                self.reach
                    .providers
                    .events(provider, &token, id, window)
                    .await
            })
            .await;
        let events = match asked {
            Ok(Ok(events)) => events,
            Ok(Err(problem)) => return Err(self.not_read(target, lease, &problem).await),
            Err(TokenProblem::Failed(failed)) => {
                self.give_calendar_back(target, lease, None, false).await;
                return Err(SyncProblem::Failed(failed));
            }
            Err(problem) => {
                let wait = match &problem {
                    TokenProblem::Provider(RefreshProblem::Unavailable(_, wait)) => *wait,
                    _ => None,
                };
                let is_broken =
                    matches!(problem, TokenProblem::NeedsReconnect | TokenProblem::Gone);
                let wait = wait.unwrap_or_else(|| back_off(target.fails));
                self.give_calendar_back(target, lease, (!is_broken).then_some(wait), false)
                    .await;
                return Err(if is_broken {
                    SyncProblem::NeedsReconnect
                } else {
                    SyncProblem::Wait(wait)
                });
            }
        };
        let member = self.member_of(target.user_id).await?;
        let then = member.as_ref().and_then(Self::home_refresh);
        let changed = |event, was| {
            let binding = member.as_ref()?.binding_id;
            Some(
                Job::TellChanged {
                    binding,
                    event,
                    was,
                    change: self.clock.new_id(),
                }
                .to_row(),
            )
        };
        let wishes = member
            .as_ref()
            .map_or_else(Default::default, |member| member.preferences.wishes);
        let counts = self
            .store
            .reconcile(
                target,
                lease,
                Shown {
                    window,
                    events: &events,
                    wishes,
                },
                then.as_ref(),
                &changed,
            )
            .await
            .map_err(|error| self.sync_failed(error))?;
        // Somebody took it over, or the person gave it up meanwhile.
        counts.ok_or(SyncProblem::Gone)
    }

    /// Whose calendar it is: what they wish for decides what is suggested, and their Home tab follows.
    async fn member_of(&self, user_id: Uuid) -> Result<Option<Member>, SyncProblem> {
        let found = async {
            let Some(binding) = self.store.binding_of(user_id).await? else {
                return Ok(None);
            };
            self.store.member_by_binding(binding).await
        };
        found.await.map_err(|error| self.sync_failed(error))
    }

    async fn not_read(
        &self,
        target: &SyncTarget,
        lease: Uuid,
        problem: &ReadProblem,
    ) -> SyncProblem {
        tracing::warn!(
            calendar = %target.calendar_id,
            provider = target.provider.as_str(),
            "sync.not_read: {problem}"
        );
        match problem {
            ReadProblem::NotFound => {
                self.give_calendar_back(target, lease, None, true).await;
                SyncProblem::Gone
            }
            _ => {
                let said = match problem {
                    ReadProblem::Busy(wait) => *wait,
                    _ => None,
                };
                let wait = said.unwrap_or_else(|| back_off(target.fails));
                self.give_calendar_back(target, lease, Some(wait), false)
                    .await;
                SyncProblem::Wait(wait)
            }
        }
    }

    async fn give_calendar_back(
        &self,
        target: &SyncTarget,
        lease: Uuid,
        wait: Option<TimeDelta>,
        is_gone: bool,
    ) {
        let next = wait.map(|wait| self.clock.now() + wait);
        let given = self
            .store
            .fail_sync(target.calendar_id, lease, next, is_gone)
            .await;
        if let Err(problem) = given {
            // The lease runs out by itself.
            tracing::warn!(calendar = %target.calendar_id, "sync.not_released: {}", chain(&problem));
            return;
        }
        // Home says that it is slow, and when it is tried again.
        let member = self.member_of(target.user_id).await.ok().flatten();
        if let Some(job) = member.as_ref().and_then(Self::home_refresh)
            && let Err(problem) = self.store.add_job(&job).await
        {
            tracing::warn!("home.not_queued: {}", chain(&problem));
        }
    }

    /// Asks for the reading of every calendar that is due, each at a moment of its own, so that they do not all come
    /// at once.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn queue_syncs(&self) -> Result<(), Failed> {
        let now = self.clock.now();
        // What was read a little before the tick is due with it.
        let before = now - self.sync_every + TimeDelta::seconds(30);
        let spread = (self.sync_every.num_seconds().unsigned_abs() / 3).max(1);
        for calendar in self.due_calendars(before).await? {
            let jitter = calendar.as_u128() % u128::from(spread);
            let job = NewJob {
                run_at: Some(now + TimeDelta::seconds(i64::try_from(jitter).unwrap_or(0))),
                ..Job::SyncCalendar { calendar }.to_row()
            };
            let asked = self.store.add_job_once(&job).await;
            asked.map_err(|error| self.failed("asking for a reading", error))?;
        }
        Ok(())
    }

    /// Asks for the reading of the person's calendars, now, and returns how many are read.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn read_now(&self, member: &Member) -> Result<usize, Failed> {
        let mut count = 0;
        for account in self.accounts(member).await? {
            if account.state == AccountState::Active {
                count += account.read().count();
                self.queue_account(account.id).await?;
            }
        }
        Ok(count)
    }

    /// Asks for the reading of an account's calendars, now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn queue_account(&self, account_id: Uuid) -> Result<(), Failed> {
        let failed = |error| self.failed("asking for a reading", error);
        let calendars = self.store.calendars_of(account_id).await.map_err(failed)?;
        for calendar in calendars {
            let job = Job::SyncCalendar { calendar }.to_row();
            self.store.add_job(&job).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Reads the calendars of an account that was just connected, as far as that is quick, and returns how many of
    /// the person's meetings wait then; `None` where it was not quick, or did not work: that shows elsewhere.
    pub async fn read_for_the_first_time(&self, member: &Member, account_id: Uuid) -> Option<u64> {
        let calendars = self.store.calendars_of(account_id).await.ok()?;
        let app = self.clone();
        // It goes on where nobody waits for it any more: a reading that was broken off would hold its lease.
        let reading = tokio::spawn(async move {
            for calendar in calendars {
                app.sync_calendar(calendar).await.ok()?;
            }
            Some(())
        });
        tokio::time::timeout(FIRST_READING, reading)
            .await
            .ok()?
            .ok()??;
        let (_, count) = self.waiting(member, 1).await.ok()?;
        Some(count)
    }

    /// Reads every calendar, one after the other, and says what came of each.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sync_all(
        &self,
        mut said: impl FnMut(Uuid, Result<SyncCounts, SyncProblem>),
    ) -> Result<(), Failed> {
        let calendars = self.due_calendars(self.clock.now()).await?;
        for calendar in calendars {
            said(calendar, self.sync_calendar(calendar).await);
        }
        Ok(())
    }

    /// The calendars that were not read since then; ids only, so that there may be very many.
    async fn due_calendars(&self, before: DateTime<Utc>) -> Result<Vec<Uuid>, Failed> {
        let mut due: Vec<Uuid> = Vec::new();
        loop {
            let after = due.last().copied();
            let ids = self.store.calendars_to_sync(before, after, BATCH).await;
            let ids = ids.map_err(|error| self.failed("looking for calendars", error))?;
            if ids.is_empty() {
                return Ok(due);
            }
            due.extend(ids);
        }
    }

    fn sync_failed(&self, error: StoreError) -> SyncProblem {
        SyncProblem::Failed(self.failed("reading a calendar", error))
    }
}

/// The wait after so many failures in a row, a fifth earlier or later.
fn back_off(fails: i32) -> TimeDelta {
    let at = usize::try_from(fails)
        .unwrap_or(0)
        .min(RETRIES_MIN.len() - 1);
    TimeDelta::milliseconds(RETRIES_MIN[at] * 60 * rand::random_range(800..=1200))
}
