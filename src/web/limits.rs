//! What one caller may take of everybody's server: so many requests, and so much time for each.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::{Site, problem::Problem};
use crate::{clock::Clock, config::Limits};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");
/// Callers that are remembered. Who is forgotten begins anew, with everything.
const REMEMBERED_CALLERS: usize = 20_000;
/// What reading a calendar, or beginning to connect one, counts: it keeps a provider busy as well.
const DEAR: u32 = 10;
/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long one may take that waits for a provider.
const PROVIDER_DEADLINE: Duration = Duration::from_secs(30);

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Payer {
    /// A person, with whichever sessions and tokens.
    Person(Uuid),
    /// Where requests come from that nobody vouches for.
    Address(IpAddr),
}

/// The other end of a connection. What a header says about it can be said by anybody and is not read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

impl Peer {
    /// Whom its requests are counted for: who has one IPv6 address has all of its network.
    fn payer(self) -> Payer {
        Payer::Address(match self.0.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// What a caller may still ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    requests: i64,
    /// Until the bucket is full again; of a refusal, until there is enough in it.
    seconds: u64,
}

/// Where a request notes what is left after it, for its answer.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Option<Left>>>);

impl Noted {
    fn get(&self) -> MutexGuard<'_, Option<Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bucket of requests for each caller, which fills up as time goes by.
pub(super) struct Buckets {
    limits: Limits,
    clock: Clock,
    /// When each would be full, in microseconds since 1970: all that there is to know about it.
    full_at: Cache<Payer, Arc<AtomicI64>>,
}

impl Buckets {
    pub(super) fn new(limits: Limits, clock: Clock) -> Self {
        Self {
            limits,
            clock,
            full_at: Cache::new(REMEMBERED_CALLERS),
        }
    }

    /// Has a caller pay for a request, and notes what is left for the answer.
    ///
    /// # Errors
    /// There is not as much in the bucket; says when there will be.
    pub(super) fn charge(&self, parts: &Parts, payer: Payer, part: u32) -> Result<(), Problem> {
        let taken = self.take(payer, part);
        if let Some(noted) = parts.extensions.get::<Noted>() {
            let (Ok(left) | Err(left)) = taken;
            *noted.get() = Some(left);
        }
        match taken {
            Ok(_) => Ok(()),
            Err(left) => Err(Problem::too_many(left.seconds)),
        }
    }

    /// Takes a request's part out of the caller's bucket; says what is left in it.
    ///
    /// # Errors
    /// There is not as much in it.
    fn take(&self, payer: Payer, part: u32) -> Result<Left, Left> {
        let now = self.clock.now().timestamp_micros();
        let each = i64::from(1_000_000 / self.limits.per_second.max(1)).max(1);
        let whole = each.saturating_mul(i64::from(self.limits.burst));
        let price = each.saturating_mul(i64::from(part));
        let full_at = self
            .full_at
            .get_or_insert_with(&payer, || {
                Ok::<_, std::convert::Infallible>(Arc::new(AtomicI64::new(now)))
            })
            .unwrap_or_else(|never| match never {});
        let left = |full_at: i64, wait: i64| Left {
            requests: (now + whole - full_at) / each,
            seconds: wait.unsigned_abs().div_ceil(1_000_000),
        };
        let mut taken = Ok(left(now, 0));
        let step = |full_at: i64| {
            // Never emptier than empty, should the clock have been put back.
            let full_at = full_at.clamp(now, now.saturating_add(whole));
            let after = full_at.saturating_add(price);
            let wait = after - now - whole;
            if wait > 0 {
                taken = Err(left(full_at, wait));
                return Some(full_at);
            }
            taken = Ok(left(after, after - now));
            Some(after)
        };
        let (load, store) = (Ordering::Acquire, Ordering::AcqRel);
        let _ = full_at.fetch_update(store, load, step);
        taken
    }

    /// How long an empty bucket takes to be full, in seconds.
    fn window(&self) -> u32 {
        self.limits.burst.div_ceil(self.limits.per_second.max(1))
    }
}

/// Says in each answer to somebody who pays for it what they may ask for, and what is left of that
/// (draft-ietf-httpapi-ratelimit-headers-10).
pub(super) async fn shown(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let noted = Noted::default();
    request.extensions_mut().insert(noted.clone());
    let mut response = next.run(request).await;
    let left = *noted.get();
    if let Some(Left { requests, seconds }) = left {
        let (quota, window) = (site.buckets.limits.burst, site.buckets.window());
        for (name, value) in [
            (POLICY, format!("\"requests\";q={quota};w={window}")),
            (LEFT, format!("\"requests\";r={requests};t={seconds}")),
        ] {
            let value = HeaderValue::try_from(value).expect("words and numbers are ASCII");
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// What a request counts.
pub(super) fn part_of(parts: &Parts) -> u32 {
    match parts
        .extensions
        .get::<MatchedPath>()
        .map(MatchedPath::as_str)
    {
        Some(path) if path.ends_with("/sync") || path.ends_with("/authorize") => DEAR,
        _ => 1,
    }
}

/// Whom a request is counted for as long as nobody is known to have sent it.
pub(super) fn stranger(parts: &Parts) -> Payer {
    let unknown = Peer(Ipv6Addr::UNSPECIFIED.into());
    parts
        .extensions
        .get::<Peer>()
        .copied()
        .unwrap_or(unknown)
        .payer()
}

/// Anybody at all, whose requests are counted by address.
pub(super) struct Anybody;

impl FromRequestParts<Site> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        site.buckets
            .charge(parts, stranger(parts), part_of(parts))?;
        Ok(Self)
    }
}

/// Gives up what takes too long. Whatever it was doing is dropped where it waits, which is what happens as well when
/// the caller goes away.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let deadline = if request.uri().path().starts_with("/integrations/") {
        PROVIDER_DEADLINE
    } else {
        DEADLINE
    };
    let answer = tokio::time::timeout(deadline, next.run(request));
    answer
        .await
        .unwrap_or_else(|_| Problem::too_slow().into_response())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn clock() -> Clock {
        Clock::fixed(DateTime::from_timestamp(1_795_177_800, 0).unwrap())
    }

    fn nina() -> Payer {
        Payer::Person(Uuid::from_u128(1))
    }

    #[test]
    fn a_bucket_empties_and_fills_up_again() {
        let clock = clock();
        let buckets = Buckets::new(Limits::default(), clock.clone());
        let takes = |count: u32| (0..count).all(|_| buckets.take(nina(), 1).is_ok());
        assert!(takes(100), "what may come at once");
        assert!(!takes(1));
        assert!(
            buckets.take(Payer::Person(Uuid::from_u128(2)), 1).is_ok(),
            "another's is full"
        );
        clock.advance(TimeDelta::milliseconds(50));
        assert!(takes(1), "twenty in a second");
        assert!(!takes(1));
        clock.advance(TimeDelta::hours(1));
        assert!(takes(100), "it does not overflow");
        assert!(!takes(1));
    }

    #[test]
    fn what_is_refused_costs_nothing_and_says_when_to_come_again() {
        let clock = clock();
        let buckets = Buckets::new(Limits::default(), clock.clone());
        for _ in 0..10 {
            assert!(buckets.take(nina(), DEAR).is_ok());
        }
        for _ in 0..1000 {
            let refused = buckets.take(nina(), 30).unwrap_err();
            let left = Left {
                requests: 0,
                seconds: 2,
            };
            assert_eq!(refused, left, "thirty are 1.5 s");
            let response = Problem::too_many(refused.seconds).into_response();
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers()["retry-after"], "2");
        }
        clock.advance(TimeDelta::milliseconds(1500));
        assert!(buckets.take(nina(), 30).is_ok());
    }

    #[test]
    fn what_is_left_is_said() {
        let clock = clock();
        let buckets = Buckets::new(Limits::default(), clock.clone());
        assert_eq!(buckets.window(), 5);
        let left = |requests, seconds| Left { requests, seconds };
        assert_eq!(buckets.take(nina(), 1), Ok(left(99, 1)));
        assert_eq!(buckets.take(nina(), 60), Ok(left(39, 4)));
        assert_eq!(buckets.take(nina(), 60), Err(left(39, 2)));
        assert_eq!(buckets.take(nina(), 39), Ok(left(0, 5)));
        // Not quite one is none.
        clock.advance(TimeDelta::milliseconds(49));
        assert_eq!(buckets.take(nina(), 1), Err(left(0, 1)));
        clock.advance(TimeDelta::hours(1));
        assert_eq!(buckets.take(nina(), 1), Ok(left(99, 1)));
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nobody_out() {
        let clock = clock();
        let buckets = Buckets::new(Limits::default(), clock.clone());
        assert!(buckets.take(nina(), 100).is_ok());
        clock.advance(TimeDelta::days(-2));
        assert!(buckets.take(nina(), 1).is_err());
        clock.advance(TimeDelta::milliseconds(50));
        assert!(buckets.take(nina(), 1).is_ok());
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_ipv4_is_itself() {
        let of = |address: &str| Peer(address.parse().unwrap()).payer();
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }

    #[test]
    fn callers_are_remembered_in_bounded_memory() {
        let buckets = Buckets::new(Limits::default(), clock());
        for n in 0..100_000 {
            assert!(buckets.take(Payer::Person(Uuid::from_u128(n)), 1).is_ok());
        }
        assert!(buckets.full_at.len() <= REMEMBERED_CALLERS);
    }
}
