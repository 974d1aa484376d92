use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::*;
use crate::testing::{Reply, World, fault, tokens, used};

fn refused() -> Reply {
    Reply::Answer(400, r#"{"error":"invalid_grant"}"#.into())
}

async fn token(
    source: &Arc<TokenSource<crate::testing::JumpClock, crate::testing::Store>>,
) -> String {
    source
        .access_token()
        .await
        .unwrap()
        .expose_secret()
        .to_owned()
}

/// Intuit at its strictest: every refresh gives a new token, and the old one dies at once.
fn strict(world: &World) {
    let mut live = "R0".to_owned();
    let mut count = 0;
    world.network.on_oauth(move |seen| {
        if used(seen) != live {
            return refused();
        }
        count += 1;
        live = format!("R{count}");
        tokens(&live, &format!("A{count}"))
    });
}

#[tokio::test]
async fn a_good_token_is_used_as_it_is() {
    let world = World::with_token_for(30);
    for _ in 0..3 {
        assert_eq!(token(&world.tokens).await, "A0");
    }
    assert!(world.network.refreshes().is_empty());
}

#[tokio::test]
async fn three_callers_with_an_expired_token_cause_one_refresh() {
    let world = World::with_token_for(-1);
    strict(&world);
    let (a, b, c) = tokio::join!(
        token(&world.tokens),
        token(&world.tokens),
        token(&world.tokens)
    );
    assert_eq!([a, b, c], ["A1", "A1", "A1"]);
    assert_eq!(world.network.refreshes().len(), 1);
    let grant = world.store.get();
    assert_eq!(grant.refresh_token.expose_secret(), "R1");
    assert_eq!(grant.previous_refresh_token.unwrap().expose_secret(), "R0");
    assert!(grant.refreshing_until.is_none() && grant.refreshed_at.is_some());
}

#[tokio::test]
async fn three_processes_with_an_expired_token_cause_one_refresh() {
    let world = World::with_token_for(-1);
    strict(&world);
    let (two, three) = (world.another_process(), world.another_process());
    let (a, b, c) = tokio::join!(token(&world.tokens), token(&two), token(&three));
    assert_eq!([a, b, c], ["A1", "A1", "A1"]);
    assert_eq!(world.network.refreshes().len(), 1);
}

#[tokio::test]
async fn no_interleaving_of_three_processes_loses_a_token_or_a_connection() {
    for seed in 0..1500 {
        let world = World::with_token_for(-1);
        world.store.dice.load(seed);
        world.network.dice.load(seed ^ 0x5555);
        let live = Arc::new(Mutex::new("R0".to_owned()));
        let (now_live, clock) = (live.clone(), world.clock.clone());
        let mut count = 0;
        let dice = crate::testing::Dice::default();
        dice.load(seed ^ 0xaaaa);
        world.network.on_oauth(move |seen| {
            // A slow answer can outlast its announcement, so that another process takes over.
            clock.advance(Duration::from_secs(dice.below(60)));
            let mut live = now_live.lock().unwrap();
            if used(seen) != *live {
                return refused();
            }
            count += 1;
            *live = format!("R{count}");
            tokens(&live, &format!("A{count}"))
        });
        let (two, three) = (world.another_process(), world.another_process());
        let (a, b, c) = tokio::join!(
            world.tokens.access_token(),
            two.access_token(),
            three.access_token()
        );
        for outcome in [a, b, c] {
            assert_ne!(outcome.unwrap().expose_secret(), "A0", "seed {seed}");
        }
        let grant = world.store.get();
        assert_eq!(
            grant.refresh_token.expose_secret(),
            *live.lock().unwrap(),
            "seed {seed}"
        );
        assert!(!grant.revoked && grant.doubted_at.is_none(), "seed {seed}");
    }
}

#[tokio::test]
async fn nobody_waits_while_the_token_is_still_valid() {
    let world = World::with_token_for(5);
    strict(&world);
    let started = world.clock.now();
    let (a, b, c) = tokio::join!(
        token(&world.tokens),
        token(&world.tokens),
        token(&world.tokens)
    );
    let answers: HashSet<String> = [a, b, c].into();
    assert!(answers.contains("A0"), "{answers:?}");
    assert_eq!(world.network.refreshes().len(), 1);
    assert_eq!(world.clock.now(), started, "somebody slept");
    assert_eq!(token(&world.tokens).await, "A1");
}

#[tokio::test]
async fn an_early_refresh_that_fails_costs_nothing() {
    let world = World::with_token_for(5);
    world.network.on_oauth(|_| refused());
    let started = world.clock.now();
    for _ in 0..5 {
        assert_eq!(token(&world.tokens).await, "A0");
    }
    assert_eq!(world.network.refreshes().len(), 1, "it was not left alone");
    assert_eq!(world.clock.now(), started);
    assert!(world.store.get().doubted_at.is_none());
}

#[tokio::test]
async fn a_stale_token_is_renewed_once_for_all() {
    let world = World::with_token_for(30);
    strict(&world);
    let stale = SecretString::from("A0");
    let renew = || async {
        world
            .tokens
            .renew(&stale)
            .await
            .unwrap()
            .expose_secret()
            .to_owned()
    };
    let (a, b) = tokio::join!(renew(), renew());
    assert_eq!([a, b], ["A1", "A1"]);
    assert_eq!(world.network.refreshes().len(), 1);
}

#[tokio::test]
async fn another_process_that_announced_its_refresh_is_waited_for() {
    let world = World::with_token_for(-1);
    strict(&world);
    let until = later(world.clock.now(), Duration::from_secs(20));
    world
        .store
        .change(|grant| grant.refreshing_until = Some(until));
    assert_eq!(token(&world.tokens).await, "A1");
    assert!(world.clock.now() >= until, "it did not wait");
}

#[tokio::test]
async fn an_announcement_far_in_the_future_is_a_wrong_clock() {
    let world = World::with_token_for(-1);
    strict(&world);
    let until = later(world.clock.now(), Duration::from_hours(5));
    world
        .store
        .change(|grant| grant.refreshing_until = Some(until));
    let started = world.clock.now();
    assert_eq!(token(&world.tokens).await, "A1");
    assert_eq!(world.clock.now(), started);
}

#[tokio::test]
async fn a_refusal_because_another_process_rotated_is_no_disconnect() {
    let world = World::with_token_for(-1);
    let store = world.store.clone();
    let clock = world.clock.clone();
    world.network.on_oauth(move |seen| {
        assert_eq!(used(seen), "R0");
        // The other process stores its answer only after ours was refused.
        let expires_at = later(clock.now(), Duration::from_hours(1));
        store.change(|grant| {
            grant.previous_refresh_token = Some(SecretString::from("R0"));
            grant.refresh_token = SecretString::from("R1");
            grant.access = Some(AccessToken {
                token: SecretString::from("A1"),
                expires_at,
            });
        });
        refused()
    });
    assert_eq!(token(&world.tokens).await, "A1");
    assert_eq!(world.network.refreshes().len(), 1);
    assert!(!world.store.get().revoked);
}

#[tokio::test]
async fn an_outage_that_looks_like_a_revocation_is_outlived() {
    let world = World::with_token_for(-1);
    let is_down = Arc::new(AtomicBool::new(true));
    let down = is_down.clone();
    world.network.on_oauth(move |_| {
        if down.load(Ordering::SeqCst) {
            refused()
        } else {
            tokens("R1", "A1")
        }
    });
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksTokenPending);
    assert_eq!(failure.retry_after, Some(world.tokens.policy.token_confirm));
    // Until the doubt has aged, Intuit is left alone.
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksTokenPending);
    assert_eq!(world.network.refreshes().len(), 1);
    world.clock.advance(Duration::from_mins(6));
    is_down.store(false, Ordering::SeqCst);
    assert_eq!(token(&world.tokens).await, "A1");
    assert!(world.store.get().doubted_at.is_none());
}

#[tokio::test]
async fn a_second_refusal_minutes_later_ends_the_connection() {
    let world = World::with_token_for(-1);
    world
        .store
        .change(|grant| grant.previous_refresh_token = Some(SecretString::from("R-1")));
    world.network.on_oauth(|_| refused());
    assert!(world.tokens.access_token().await.is_err());
    world.clock.advance(Duration::from_mins(6));
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksDisconnected);
    assert!(world.store.get().revoked);
    let asked: Vec<String> = world.network.refreshes().iter().map(used).collect();
    assert_eq!(asked, ["R0", "R0", "R-1"]);
    // Never again without a person.
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksDisconnected);
    assert!(world.tokens.renew(&SecretString::from("A0")).await.is_err());
    assert_eq!(world.network.refreshes().len(), 3);
}

#[tokio::test]
async fn the_previous_token_is_the_last_resort() {
    let world = World::with_token_for(-1);
    world
        .store
        .change(|grant| grant.previous_refresh_token = Some(SecretString::from("R-1")));
    world.network.on_oauth(|seen| match used(seen).as_str() {
        "R-1" => tokens("R1", "A1"),
        _ => refused(),
    });
    assert!(world.tokens.access_token().await.is_err());
    world.clock.advance(Duration::from_mins(6));
    assert_eq!(token(&world.tokens).await, "A1");
    assert_eq!(world.store.get().refresh_token.expose_secret(), "R1");
}

#[tokio::test]
async fn a_new_token_is_stored_before_it_is_used() {
    let world = World::with_token_for(-1);
    strict(&world);
    // The announcement passes; then the store is down for longer than the answer is offered.
    let store = world.store.clone();
    let mut is_first = true;
    world.network.on_oauth(move |_| {
        if is_first {
            store.writes_down.store(50, Ordering::SeqCst);
        }
        is_first = false;
        tokens("R1", "A1")
    });
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::StoreBusy);
    assert_eq!(world.store.get().refresh_token.expose_secret(), "R0");
    // The token was not lost: it is stored as soon as the store answers, without a new refresh.
    world.store.writes_down.store(0, Ordering::SeqCst);
    assert_eq!(token(&world.tokens).await, "A1");
    assert_eq!(world.store.get().refresh_token.expose_secret(), "R1");
    assert_eq!(world.network.refreshes().len(), 1);
}

#[tokio::test]
async fn a_short_failure_of_the_store_is_sat_out() {
    let world = World::with_token_for(-1);
    let store = world.store.clone();
    world.network.on_oauth(move |_| {
        store.writes_down.store(3, Ordering::SeqCst);
        tokens("R1", "A1")
    });
    assert_eq!(token(&world.tokens).await, "A1");
}

#[tokio::test]
async fn a_slow_winner_is_not_overwritten_by_the_process_that_took_over() {
    let world = World::with_token_for(-1);
    let store = world.store.clone();
    world.network.on_oauth(move |_| {
        // While Intuit answers, another process finds our announcement run out and takes over.
        store.change(|grant| grant.refreshing_until = None);
        tokens("R1", "A1")
    });
    assert_eq!(token(&world.tokens).await, "A1");
    assert_eq!(world.store.get().refresh_token.expose_secret(), "R1");
}

#[tokio::test]
async fn of_two_answers_for_one_token_the_stored_one_stays_and_the_other_is_kept() {
    let world = World::with_token_for(-1);
    let store = world.store.clone();
    let expires_at = later(world.clock.now(), Duration::from_hours(1));
    world.network.on_oauth(move |_| {
        store.change(|grant| {
            grant.previous_refresh_token = Some(SecretString::from("R0"));
            grant.refresh_token = SecretString::from("R1-theirs");
            grant.access = Some(AccessToken {
                token: SecretString::from("A1"),
                expires_at,
            });
        });
        tokens("R1-ours", "A1-ours")
    });
    assert_eq!(token(&world.tokens).await, "A1");
    let grant = world.store.get();
    assert_eq!(grant.refresh_token.expose_secret(), "R1-theirs");
    assert_eq!(
        grant.previous_refresh_token.unwrap().expose_secret(),
        "R1-ours"
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_the_same_token() {
    let world = World::with_token_for(-1);
    let mut count = 0;
    world.network.on_oauth(move |_| {
        count += 1;
        match count {
            1 => Reply::Answer(503, "<html></html>".into()),
            2 => Reply::Broken(purser_transport::TransportErrorKind::Timeout),
            _ => tokens("R0", "A1"),
        }
    });
    assert_eq!(token(&world.tokens).await, "A1");
    let asked: Vec<String> = world.network.refreshes().iter().map(used).collect();
    assert_eq!(asked, ["R0", "R0", "R0"]);
    assert!(world.store.get().previous_refresh_token.is_none());
}

#[tokio::test]
async fn a_wrong_client_is_not_the_tenants_fault() {
    let world = World::with_token_for(-1);
    world
        .network
        .on_oauth(|_| Reply::Answer(401, r#"{"error":"invalid_client"}"#.into()));
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksClientRefused);
    let grant = world.store.get();
    assert!(!grant.revoked && grant.doubted_at.is_none() && grant.refreshing_until.is_none());
}

#[tokio::test]
async fn a_store_that_is_down_does_not_stop_a_valid_token() {
    let world = World::with_token_for(30);
    assert_eq!(token(&world.tokens).await, "A0");
    world.store.reads_down.store(1, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(token(&world.tokens).await, "A0");
    world.clock.advance(Duration::from_mins(5));
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::StoreBusy);
}

#[tokio::test]
async fn a_grant_for_another_realm_is_not_ours_to_use() {
    let world = World::with_token_for(30);
    world
        .store
        .change(|grant| grant.realm = "9".parse().unwrap());
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::NotConnected);
}

#[tokio::test]
async fn an_idle_connection_is_kept_alive_once_a_week() {
    let world = World::with_token_for(-1);
    strict(&world);
    world.tokens.keep_alive().await.unwrap();
    assert!(world.network.refreshes().is_empty());
    world.clock.advance(Duration::from_hours(8 * 24));
    world.tokens.keep_alive().await.unwrap();
    world.tokens.keep_alive().await.unwrap();
    assert_eq!(world.network.refreshes().len(), 1);
}

#[tokio::test]
async fn a_token_with_a_short_life_is_not_renewed_at_every_call() {
    let world = World::with_token_for(-1);
    world.network.on_oauth(|_| {
        crate::testing::ok(
            r#"{"token_type":"bearer","expires_in":120,"refresh_token":"R1","access_token":"A1"}"#,
        )
    });
    for _ in 0..4 {
        assert_eq!(token(&world.tokens).await, "A1");
    }
    assert_eq!(world.network.refreshes().len(), 1);
}

#[tokio::test]
async fn a_bill_is_sent_with_a_valid_token_or_not_at_all() {
    let world = World::with_token_for(-1);
    world.network.script([fault(500, "10000")]);
    let failure = world.tokens.usable_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::AccessTokenStale);
    assert!(world.network.refreshes().is_empty());
}
