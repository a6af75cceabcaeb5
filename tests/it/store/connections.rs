//! Accounts, their sealed tokens and calendars; links, errands and sessions.

use billops::{
    clock::Clock,
    domain::{
        calendar::{AccountState, ListedCalendar, ReconnectReason},
        member::Member,
        provider::Provider,
        scope::Scopes,
    },
    keyring::{Keyring, digest, is_same},
    store::{ApiToken, NewAccount, NewErrand, NewJob, Parked, SavedAccount, Store, StoreError},
};
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{berlin, nina};

super::on_every_database!(
    an_account_keeps_its_id_and_what_was_chosen,
    tokens_are_sealed_and_open_in_their_row_only,
    one_refreshes_at_a_time,
    only_the_token_that_was_refused_breaks_a_connection,
    an_account_is_its_persons,
    a_grant_that_two_people_share_is_not_given_back,
    keys_are_rotated,
    a_link_works_once_and_the_newest_only,
    an_errand_comes_back_once_and_in_time,
    a_code_may_be_typed_three_times,
    sessions_and_tokens_end,
    a_state_is_used_once,
);

const OLD: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "k2:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn sealing(store: Store, keys: &str) -> Store {
    store.with_keys(Keyring::parse(keys).unwrap())
}

async fn jonas(store: &Store) -> Member {
    let profile = berlin("Jonas Weber");
    store.save_member("T1", "U2", Some(&profile)).await.unwrap()
}

fn calendar(id: &str, is_own: bool) -> ListedCalendar {
    ListedCalendar {
        provider_calendar_id: id.to_owned(),
        name: id.to_uppercase(),
        is_primary: id == "main",
        has_details: true,
        is_own,
    }
}

/// Connects an account with the tokens `access` and `refresh`.
async fn save(
    store: &Store,
    clock: &Clock,
    member: &Member,
    [access, refresh]: [&str; 2],
    calendars: &[ListedCalendar],
) -> SavedAccount {
    let new = NewAccount {
        user_id: member.user_id,
        provider: Provider::Google,
        subject: "sub-7",
        email: "nina@tern.example",
        scopes: "openid",
        access: &SecretString::from(access),
        refresh: &SecretString::from(refresh),
        expires_at: clock.now() + TimeDelta::hours(1),
    };
    let job = |saved: SavedAccount| NewJob {
        unique_key: format!("tell:{}", saved.id),
        payload: "{}".to_owned(),
        is_prompt: false,
        run_at: None,
    };
    store
        .save_account(&new, calendars, |saved| vec![job(saved)])
        .await
        .unwrap()
}

async fn an_account_keeps_its_id_and_what_was_chosen(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let nina = nina(&store).await;
    let listed = [calendar("main", true), calendar("team", false)];
    let first = save(&store, &clock, &nina, ["a1", "r1"], &listed).await;
    assert_eq!(first.before, None);
    assert_eq!(store.job_counts().await.unwrap().open, 1);
    let accounts = store.accounts(nina.user_id).await.unwrap();
    let chosen = |accounts: &[billops::domain::calendar::Account]| -> Vec<String> {
        accounts[0]
            .read()
            .map(|calendar| calendar.name.clone())
            .collect()
    };
    assert_eq!(chosen(&accounts), ["MAIN"]);
    let team = accounts[0].calendars[1].id;
    assert!(
        store
            .choose_calendars(nina.user_id, first.id, &[team], &[])
            .await
            .unwrap()
    );
    // A calendar that is no longer listed is not read; listed again, it is what it was.
    let listed_less = [calendar("main", true)];
    store
        .note_calendars(nina.user_id, first.id, Provider::Google, &listed_less)
        .await
        .unwrap();
    assert!(chosen(&store.accounts(nina.user_id).await.unwrap()).is_empty());
    assert_eq!(
        store
            .disconnect(nina.user_id, first.id, None)
            .await
            .unwrap()
            .unwrap()
            .unwrap()
            .expose_secret(),
        "r1"
    );
    assert!(store.accounts(nina.user_id).await.unwrap().is_empty());
    let again = save(&store, &clock, &nina, ["a2", "r2"], &listed).await;
    assert_eq!(
        again,
        SavedAccount {
            id: first.id,
            before: Some(AccountState::Disconnected)
        }
    );
    let accounts = store.accounts(nina.user_id).await.unwrap();
    assert_eq!(
        (chosen(&accounts), accounts[0].calendars[1].id),
        (vec!["TEAM".to_owned()], team)
    );
    let selected = store
        .select_calendar(nina.user_id, first.id, "main", &[])
        .await
        .unwrap();
    assert_eq!(
        selected,
        store
            .select_calendar(nina.user_id, first.id, "main", &[])
            .await
            .unwrap()
    );
    assert_eq!(
        chosen(&store.accounts(nina.user_id).await.unwrap()),
        ["MAIN", "TEAM"]
    );
}

async fn tokens_are_sealed_and_open_in_their_row_only(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let bare = store.clone();
    let store = sealing(store, OLD);
    let id = save(&store, &clock, &nina, ["access-1", "refresh-1"], &[])
        .await
        .id;
    let tokens = store.tokens(id).await.unwrap().unwrap();
    assert_eq!(
        tokens.access.as_ref().unwrap().0.expose_secret(),
        "access-1"
    );
    assert_eq!(
        tokens.refresh.as_ref().unwrap().expose_secret(),
        "refresh-1"
    );
    let debug = format!("{tokens:?}");
    assert!(
        !debug.contains("access-1") && !debug.contains("v1.k1"),
        "{debug}"
    );
    assert!(matches!(bare.tokens(id).await, Err(StoreError::NoKeys)));
    let other = sealing(bare, NEW).tokens(id).await.unwrap_err();
    assert!(matches!(other, StoreError::Sealed { .. }), "{other:?}");
    assert_eq!(
        store.tokens(Uuid::from_u128(9)).await.unwrap().map(|_| ()),
        None
    );
}

async fn one_refreshes_at_a_time(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let nina = nina(&store).await;
    let id = save(&store, &clock, &nina, ["a1", "r1"], &[]).await.id;
    let row = store.tokens(id).await.unwrap().unwrap().row;
    let until = clock.now() + TimeDelta::seconds(30);
    let lease = |n| Uuid::from_u128(n);
    assert!(store.take_refresh(id, lease(1), &row, until).await.unwrap());
    assert!(!store.take_refresh(id, lease(2), &row, until).await.unwrap());
    store.release_refresh(id, lease(2)).await.unwrap();
    assert!(
        !store.take_refresh(id, lease(2), &row, until).await.unwrap(),
        "another's lease was given back"
    );
    store.release_refresh(id, lease(1)).await.unwrap();
    assert!(store.take_refresh(id, lease(2), &row, until).await.unwrap());
    // Whoever died with it loses it.
    clock.advance(TimeDelta::seconds(31));
    let until = clock.now() + TimeDelta::seconds(30);
    assert!(store.take_refresh(id, lease(3), &row, until).await.unwrap());
    let (access, refresh) = (SecretString::from("a2"), SecretString::from("r2"));
    let expires = clock.now() + TimeDelta::hours(1);
    assert!(
        store
            .save_tokens(id, &row, &access, Some(&refresh), expires)
            .await
            .unwrap()
    );
    // Whoever was slower keeps its hands off the newer ones.
    assert!(
        !store
            .save_tokens(id, &row, &SecretString::from("late"), None, expires)
            .await
            .unwrap()
    );
    assert!(!store.take_refresh(id, lease(4), &row, until).await.unwrap());
    let now = store.tokens(id).await.unwrap().unwrap();
    assert_eq!(now.refresh.unwrap().expose_secret(), "r2");
    assert_eq!(now.access.unwrap().0.expose_secret(), "a2");
    // Without a new refresh token the old one stays.
    assert!(
        store
            .save_tokens(id, &now.row, &SecretString::from("a3"), None, expires)
            .await
            .unwrap()
    );
    assert_eq!(
        store
            .tokens(id)
            .await
            .unwrap()
            .unwrap()
            .refresh
            .unwrap()
            .expose_secret(),
        "r2"
    );
    assert_eq!(
        store
            .accounts_to_refresh(clock.now(), None, 10)
            .await
            .unwrap(),
        Vec::<Uuid>::new()
    );
    assert_eq!(
        store.accounts_to_refresh(expires, None, 10).await.unwrap(),
        [id]
    );
    assert_eq!(
        store
            .accounts_to_refresh(expires, Some(id), 10)
            .await
            .unwrap(),
        Vec::<Uuid>::new()
    );
}

async fn only_the_token_that_was_refused_breaks_a_connection(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let nina = nina(&store).await;
    let id = save(&store, &clock, &nina, ["a1", "r1"], &[]).await.id;
    let old = store.tokens(id).await.unwrap().unwrap().row;
    let expires = clock.now() + TimeDelta::hours(1);
    store
        .save_tokens(id, &old, &"a2".into(), Some(&"r2".into()), expires)
        .await
        .unwrap();
    let since = clock.now();
    let broken = |row: billops::store::TokenRow| {
        let store = store.clone();
        async move {
            let reason = ReconnectReason::Revoked;
            store
                .declare_broken(id, &row, reason, since, &[])
                .await
                .unwrap()
        }
    };
    assert!(!broken(old).await, "a newer token was there");
    let now = store.tokens(id).await.unwrap().unwrap().row;
    assert!(broken(now.clone()).await);
    assert!(!broken(now).await, "it is broken once");
    let account = store.accounts(nina.user_id).await.unwrap().remove(0);
    assert_eq!(
        (account.state, account.reason),
        (AccountState::NeedsReconnect, Some(ReconnectReason::Revoked))
    );
    assert!(store.broken_account(id, since).await.unwrap().is_some());
    let before = since - TimeDelta::seconds(1);
    assert!(store.broken_account(id, before).await.unwrap().is_none());
    // Connected again, nobody is reminded.
    let saved = save(&store, &clock, &nina, ["a3", "r3"], &[]).await;
    assert_eq!(
        saved,
        SavedAccount {
            id,
            before: Some(AccountState::NeedsReconnect)
        }
    );
    assert!(store.broken_account(id, since).await.unwrap().is_none());
}

async fn an_account_is_its_persons(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let (nina, jonas) = (nina(&store).await, jonas(&store).await);
    let id = save(
        &store,
        &clock,
        &nina,
        ["a1", "r1"],
        &[calendar("main", true)],
    )
    .await
    .id;
    let main = store.accounts(nina.user_id).await.unwrap()[0].calendars[0].id;
    assert!(store.accounts(jonas.user_id).await.unwrap().is_empty());
    assert!(
        !store
            .choose_calendars(jonas.user_id, id, &[], &[])
            .await
            .unwrap()
    );
    assert_eq!(
        store
            .select_calendar(jonas.user_id, id, "main", &[])
            .await
            .unwrap(),
        None
    );
    assert!(
        store
            .disconnect(jonas.user_id, id, None)
            .await
            .unwrap()
            .is_none()
    );
    store
        .note_calendars(jonas.user_id, id, Provider::Google, &[])
        .await
        .unwrap();
    // A calendar of somebody else's account is none of one's own.
    let theirs = save(
        &store,
        &clock,
        &jonas,
        ["a2", "r2"],
        &[calendar("main", false)],
    )
    .await
    .id;
    assert!(
        store
            .choose_calendars(jonas.user_id, theirs, &[main], &[])
            .await
            .unwrap()
    );
    assert_eq!(
        store.accounts(jonas.user_id).await.unwrap()[0]
            .read()
            .count(),
        0
    );
    let account = store.accounts(nina.user_id).await.unwrap().remove(0);
    assert_eq!(account.read().count(), 1);
}

async fn a_grant_that_two_people_share_is_not_given_back(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let (nina, jonas) = (nina(&store).await, jonas(&store).await);
    let hers = save(&store, &clock, &nina, ["a1", "r1"], &[]).await.id;
    let his = save(&store, &clock, &jonas, ["a2", "r2"], &[]).await.id;
    assert!(
        store
            .disconnect(nina.user_id, hers, None)
            .await
            .unwrap()
            .unwrap()
            .is_none()
    );
    let given_back = store
        .disconnect(jonas.user_id, his, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(given_back.unwrap().expose_secret(), "r2");
    assert!(
        store
            .disconnect(jonas.user_id, his, None)
            .await
            .unwrap()
            .is_none()
    );
    let wiped = store.tokens(his).await.unwrap().unwrap();
    assert!(wiped.access.is_none() && wiped.refresh.is_none());
}

async fn keys_are_rotated(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let old = sealing(store.clone(), OLD);
    let id = save(&old, &clock, &nina, ["a1", "r1"], &[]).await.id;
    assert_eq!(old.keys_in_use().await.unwrap(), [("k1".to_owned(), 2)]);
    let new = sealing(store.clone(), NEW);
    assert!(new.rotate_keys().await.is_err(), "the old key is not there");
    assert!(!new.holds_key("k1"));
    let both = sealing(store, &format!("{NEW},{OLD}"));
    assert_eq!(both.rotate_keys().await.unwrap(), 2);
    assert_eq!(both.rotate_keys().await.unwrap(), 0);
    assert_eq!(both.keys_in_use().await.unwrap(), [("k2".to_owned(), 2)]);
    assert_eq!(
        new.tokens(id)
            .await
            .unwrap()
            .unwrap()
            .refresh
            .unwrap()
            .expose_secret(),
        "r1"
    );
}

async fn a_link_works_once_and_the_newest_only(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let nina = nina(&store).await;
    let until = clock.now() + TimeDelta::minutes(10);
    let add = |token: &'static str, provider| {
        let store = store.clone();
        let binding = nina.binding_id;
        async move {
            store
                .add_link_intent(digest(token), binding, provider, None, until)
                .await
                .unwrap();
        }
    };
    add("one", Provider::Google).await;
    add("other", Provider::Microsoft).await;
    add("two", Provider::Google).await;
    assert_eq!(store.link_intent(digest("one")).await.unwrap(), None);
    assert_eq!(store.link_intent(digest("nine")).await.unwrap(), None);
    let intent = store.link_intent(digest("two")).await.unwrap().unwrap();
    assert_eq!(
        (intent.binding_id, intent.provider),
        (nina.binding_id, Provider::Google)
    );
    assert!(store.link_intent(digest("other")).await.unwrap().is_some());
    let secrets = SecretString::from("{}");
    let errand = |state: &str| errand(&clock, &nina, &secrets, digest(state));
    assert!(
        store
            .use_link_intent(intent.id, &errand("s1"))
            .await
            .unwrap()
    );
    assert!(
        !store
            .use_link_intent(intent.id, &errand("s2"))
            .await
            .unwrap()
    );
    assert!(store.take_errand(digest("s1")).await.unwrap().is_some());
    assert!(
        store.take_errand(digest("s2")).await.unwrap().is_none(),
        "both or neither"
    );
    clock.advance(TimeDelta::minutes(11));
    assert_eq!(store.link_intent(digest("other")).await.unwrap(), None);
    store
        .forget_errands_older_than(TimeDelta::days(3))
        .await
        .unwrap();
}

fn errand<'a>(
    clock: &Clock,
    member: &Member,
    secrets: &'a SecretString,
    state_hash: [u8; 32],
) -> NewErrand<'a> {
    NewErrand {
        state_hash,
        provider: Provider::Google,
        binding_id: member.binding_id,
        browser_hash: Some(digest("browser")),
        redirect_uri: "http://localhost/callback",
        secrets,
        expires_at: clock.now() + TimeDelta::minutes(10),
    }
}

async fn an_errand_comes_back_once_and_in_time(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let nina = nina(&store).await;
    let secrets = SecretString::from(r#"{"verifier":"v"}"#);
    store
        .add_errand(&errand(&clock, &nina, &secrets, digest("s1")))
        .await
        .unwrap();
    let taken = store.take_errand(digest("s1")).await.unwrap().unwrap();
    assert_eq!(taken.secrets.expose_secret(), secrets.expose_secret());
    assert_eq!(taken.browser_hash.unwrap(), digest("browser"));
    assert!(store.take_errand(digest("s1")).await.unwrap().is_none());
    store
        .add_errand(&errand(&clock, &nina, &secrets, digest("s2")))
        .await
        .unwrap();
    clock.advance(TimeDelta::minutes(10));
    assert!(store.take_errand(digest("s2")).await.unwrap().is_none());
    // Whoever begins very many gives up the oldest of them.
    for n in 0..30 {
        let state = digest(&format!("many {n}"));
        store
            .add_errand(&errand(&clock, &nina, &secrets, state))
            .await
            .unwrap();
    }
    assert!(
        store
            .take_errand(digest("many 19"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .take_errand(digest("many 20"))
            .await
            .unwrap()
            .is_some()
    );
    // Of many that come back with one state, one gets it.
    store
        .add_errand(&errand(&clock, &nina, &secrets, digest("s3")))
        .await
        .unwrap();
    let all = (0..20).map(|_| store.take_errand(digest("s3")));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(
        all.into_iter()
            .filter(|one| one.as_ref().unwrap().is_some())
            .count(),
        1
    );
    clock.advance(TimeDelta::days(4));
    store
        .forget_errands_older_than(TimeDelta::days(3))
        .await
        .unwrap();
}

async fn a_code_may_be_typed_three_times(store: Store, clock: Clock) {
    let store = sealing(store, OLD);
    let (nina, jonas) = (nina(&store).await, jonas(&store).await);
    let park = || async {
        let until = clock.now() + TimeDelta::minutes(5);
        let grant = SecretString::from("grant");
        let binding = nina.binding_id;
        store
            .park_grant(binding, Provider::Google, digest("CODE"), &grant, 3, until)
            .await
            .unwrap();
    };
    let typed = |member: &Member, code: &'static str| {
        let (store, binding) = (store.clone(), member.binding_id);
        async move {
            store
                .take_parked(binding, |kept| is_same(kept, &digest(code)))
                .await
                .unwrap()
        }
    };
    park().await;
    assert!(matches!(typed(&jonas, "CODE").await, Parked::Nothing));
    assert!(matches!(typed(&nina, "NOPE").await, Parked::Wrong(2)));
    assert!(matches!(typed(&nina, "NOPE").await, Parked::Wrong(1)));
    match typed(&nina, "CODE").await {
        Parked::Grant(Provider::Google, grant) => assert_eq!(grant.expose_secret(), "grant"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(typed(&nina, "CODE").await, Parked::Nothing));
    park().await;
    for left in [2, 1, 0] {
        let outcome = typed(&nina, "NOPE").await;
        assert!(
            matches!(outcome, Parked::Wrong(tries) if tries == left),
            "{outcome:?}"
        );
    }
    assert!(matches!(typed(&nina, "CODE").await, Parked::Nothing));
    park().await;
    clock.advance(TimeDelta::minutes(5));
    assert!(matches!(typed(&nina, "CODE").await, Parked::Nothing));
}

async fn a_state_is_used_once(store: Store, clock: Clock) {
    let until = clock.now() + TimeDelta::minutes(10);
    let (first, second) = tokio::join!(
        store.use_state(digest("s1"), until),
        store.use_state(digest("s1"), until)
    );
    assert_ne!(first.unwrap(), second.unwrap());
    assert!(store.use_state(digest("s2"), until).await.unwrap());
    clock.advance(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    assert!(!store.use_state(digest("s1"), until).await.unwrap());
    // In its last moment it works no longer, used or not.
    clock.advance(TimeDelta::microseconds(1));
    assert!(!store.use_state(digest("s1"), until).await.unwrap());
    assert!(!store.use_state(digest("s3"), until).await.unwrap());
    // A clock that is behind finds it used, until none can be so far behind.
    let later = until + TimeDelta::hours(2);
    assert!(store.use_state(digest("s4"), later).await.unwrap());
    clock.advance(-TimeDelta::minutes(1));
    assert!(!store.use_state(digest("s1"), until).await.unwrap());
    clock.advance(TimeDelta::minutes(61));
    assert!(store.use_state(digest("s5"), later).await.unwrap());
    clock.advance(-TimeDelta::minutes(61));
    assert!(store.use_state(digest("s1"), until).await.unwrap());
}

async fn sessions_and_tokens_end(store: Store, clock: Clock) {
    let (nina, jonas) = (nina(&store).await, jonas(&store).await);
    let until = clock.now() + TimeDelta::days(14);
    store
        .add_session(digest("a"), nina.binding_id, until)
        .await
        .unwrap();
    store
        .add_session(digest("b"), jonas.binding_id, until)
        .await
        .unwrap();
    assert_eq!(
        store.session(digest("a")).await.unwrap(),
        Some(nina.clone())
    );
    assert_eq!(store.session(digest("c")).await.unwrap(), None);
    store.end_session(digest("a")).await.unwrap();
    assert_eq!(store.session(digest("a")).await.unwrap(), None);
    clock.advance(TimeDelta::days(14));
    assert_eq!(store.session(digest("b")).await.unwrap(), None);

    let reports = Scopes::read("reports");
    let ends = clock.now() + TimeDelta::days(30);
    assert_eq!(store.api_token_of(nina.binding_id).await.unwrap(), None);
    store
        .add_api_token(digest("t1"), nina.binding_id, reports, ends)
        .await
        .unwrap();
    let made = ApiToken {
        made_at: clock.now(),
        last_used_at: None,
        scopes: reports,
        expires_at: Some(ends),
    };
    assert_eq!(
        store.api_token_of(nina.binding_id).await.unwrap(),
        Some(made)
    );
    assert_eq!(
        store.api_token(digest("t1")).await.unwrap(),
        Some((nina.clone(), reports))
    );
    let used = ApiToken {
        last_used_at: Some(clock.now()),
        ..made
    };
    assert_eq!(
        store.api_token_of(nina.binding_id).await.unwrap(),
        Some(used)
    );
    // A new one ends the old one; another person's stands.
    store
        .add_api_token(digest("t3"), jonas.binding_id, reports, ends)
        .await
        .unwrap();
    store
        .add_api_token(digest("t2"), nina.binding_id, reports, ends)
        .await
        .unwrap();
    assert_eq!(store.api_token(digest("t1")).await.unwrap(), None);
    assert!(store.revoke_api_token(nina.binding_id).await.unwrap());
    assert!(!store.revoke_api_token(nina.binding_id).await.unwrap());
    assert_eq!(store.api_token(digest("t2")).await.unwrap(), None);
    assert_eq!(
        store.api_token(digest("t3")).await.unwrap(),
        Some((jonas.clone(), reports))
    );
    // It works until its moment, and not in it.
    clock.advance(TimeDelta::days(30) - TimeDelta::microseconds(1));
    assert!(store.api_token(digest("t3")).await.unwrap().is_some());
    clock.advance(TimeDelta::microseconds(1));
    assert_eq!(store.api_token(digest("t3")).await.unwrap(), None);
}
