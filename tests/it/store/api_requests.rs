//! What programs ask for under a key of theirs.

use billops::{
    clock::Clock,
    domain::member::Member,
    store::{RequestClaim, Store, StoredAnswer},
};
use chrono::TimeDelta;
use uuid::Uuid;

use super::nina;

super::on_every_database!(
    a_request_is_done_once_and_answered_again,
    of_many_at_once_one_does_it,
    what_was_not_dealt_with_is_anybodys,
    whoever_does_not_answer_in_a_minute_is_gone,
    a_key_is_its_persons,
    an_answer_is_forgotten_after_a_while,
);

const FINGERPRINT: [u8; 32] = [7; 32];

fn answer() -> StoredAnswer {
    StoredAnswer {
        status: 201,
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("etag".to_owned(), "\"1\"".to_owned()),
        ],
        body: "{\"description\": \"“Übergabe” 🚀\"}".to_owned(),
    }
}

async fn claim(store: &Store, member: &Member) -> RequestClaim {
    let claim = store.claim_request(member.user_id, "k", FINGERPRINT);
    claim.await.unwrap()
}

/// The lease of whoever may do it.
async fn taken(store: &Store, member: &Member) -> Uuid {
    match claim(store, member).await {
        RequestClaim::Taken(lease) => lease,
        other => panic!("{other:?}"),
    }
}

async fn settle(store: &Store, member: &Member, lease: Uuid, answer: Option<&StoredAnswer>) {
    let settled = store.settle_request(member.user_id, "k", lease, answer);
    settled.await.unwrap();
}

async fn a_request_is_done_once_and_answered_again(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let lease = taken(&store, &nina).await;
    assert_eq!(claim(&store, &nina).await, RequestClaim::UnderWay);
    settle(&store, &nina, lease, Some(&answer())).await;
    for _ in 0..2 {
        let again = claim(&store, &nina).await;
        assert_eq!(again, RequestClaim::Answered(answer()));
        // However long ago it was answered, nobody does it anew.
        clock.advance(TimeDelta::hours(20));
    }
    // An answer stays what it was.
    let other = StoredAnswer {
        status: 409,
        ..answer()
    };
    settle(&store, &nina, lease, Some(&other)).await;
    settle(&store, &nina, lease, None).await;
    let again = claim(&store, &nina).await;
    assert_eq!(again, RequestClaim::Answered(answer()));
    let other = store.claim_request(nina.user_id, "k", [8; 32]);
    assert_eq!(other.await.unwrap(), RequestClaim::OtherRequest);
}

async fn of_many_at_once_one_does_it(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let claims = (0..16).map(|_| claim(&store, &nina));
    let claims = futures_util::future::join_all(claims).await;
    let is_taken = |claim: &&RequestClaim| matches!(claim, RequestClaim::Taken(_));
    assert_eq!(claims.iter().filter(is_taken).count(), 1, "{claims:?}");
    let waits = |claim: &&RequestClaim| **claim == RequestClaim::UnderWay;
    assert_eq!(claims.iter().filter(waits).count(), 15, "{claims:?}");
}

async fn what_was_not_dealt_with_is_anybodys(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let first = taken(&store, &nina).await;
    settle(&store, &nina, first, None).await;
    // For the same thing only.
    let other = store.claim_request(nina.user_id, "k", [8; 32]);
    assert_eq!(other.await.unwrap(), RequestClaim::OtherRequest);
    let second = taken(&store, &nina).await;
    assert_ne!(second, first);
    assert_eq!(claim(&store, &nina).await, RequestClaim::UnderWay);
    settle(&store, &nina, second, Some(&answer())).await;
    let again = claim(&store, &nina).await;
    assert_eq!(again, RequestClaim::Answered(answer()));
}

async fn whoever_does_not_answer_in_a_minute_is_gone(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let dead = taken(&store, &nina).await;
    clock.advance(TimeDelta::milliseconds(59_999));
    assert_eq!(claim(&store, &nina).await, RequestClaim::UnderWay);
    clock.advance(TimeDelta::milliseconds(1));
    let claims = (0..8).map(|_| claim(&store, &nina));
    let claims = futures_util::future::join_all(claims).await;
    let leases: Vec<Uuid> = claims
        .iter()
        .filter_map(|claim| match claim {
            RequestClaim::Taken(lease) => Some(*lease),
            _ => None,
        })
        .collect();
    assert_eq!(leases.len(), 1, "{claims:?}");
    // Whoever comes back from the dead changes nothing, and the minute begins anew.
    settle(&store, &nina, dead, Some(&answer())).await;
    settle(&store, &nina, dead, None).await;
    clock.advance(TimeDelta::milliseconds(59_999));
    assert_eq!(claim(&store, &nina).await, RequestClaim::UnderWay);
    settle(&store, &nina, leases[0], Some(&answer())).await;
    let again = claim(&store, &nina).await;
    assert_eq!(again, RequestClaim::Answered(answer()));
}

async fn a_key_is_its_persons(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    let hers = taken(&store, &nina).await;
    let his = taken(&store, &jonas).await;
    // Somebody else's lease is none.
    settle(&store, &jonas, hers, Some(&answer())).await;
    assert_eq!(claim(&store, &jonas).await, RequestClaim::UnderWay);
    settle(&store, &jonas, his, Some(&answer())).await;
    assert_eq!(claim(&store, &nina).await, RequestClaim::UnderWay);
    // Keys are told apart to the letter.
    let other = store.claim_request(nina.user_id, "K", FINGERPRINT);
    assert!(matches!(other.await.unwrap(), RequestClaim::Taken(_)));
}

async fn an_answer_is_forgotten_after_a_while(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let lease = taken(&store, &nina).await;
    settle(&store, &nina, lease, Some(&answer())).await;
    clock.advance(TimeDelta::hours(24));
    let day = TimeDelta::hours(24);
    store.forget_requests_older_than(day).await.unwrap();
    let again = claim(&store, &nina).await;
    assert_eq!(again, RequestClaim::Answered(answer()));
    clock.advance(TimeDelta::milliseconds(1));
    store.forget_requests_older_than(day).await.unwrap();
    taken(&store, &nina).await;
}
