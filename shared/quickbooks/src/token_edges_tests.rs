//! What lies exactly on a limit, and how often and how long is waited.

use std::{sync::atomic::Ordering, time::Duration};

use super::*;
use crate::testing::{JumpClock, Reply, Store, World, tokens, used};

type Source = Arc<TokenSource<JumpClock, Store>>;

async fn token(source: &Source) -> String {
    let token = source.access_token().await.unwrap();
    token.expose_secret().to_owned()
}

/// Whatever the store holds gets another access token, as if another process had renewed it.
fn replace_stored_token(world: &World) {
    world.store.change(|grant| {
        if let Some(access) = &mut grant.access {
            access.token = SecretString::from("A-other");
        }
    });
}

fn elapsed(world: &World, since: Timestamp) -> Duration {
    Duration::try_from(world.clock.now().duration_since(since)).unwrap()
}

#[tokio::test]
async fn what_was_read_is_used_for_a_minute_and_then_read_again() {
    let world = World::with_token_for(30);
    assert_eq!(token(&world.tokens).await, "A0");
    replace_stored_token(&world);
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(token(&world.tokens).await, "A0");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(token(&world.tokens).await, "A-other");
}

#[tokio::test]
async fn a_token_is_renewed_from_the_moment_on_at_which_it_should_be() {
    let world = World::with_token_for(10);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    assert_eq!(token(&world.tokens).await, "A1", "read just now");
    let world = World::with_token_for(11);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(token(&world.tokens).await, "A0");
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(token(&world.tokens).await, "A1", "remembered");
}

#[tokio::test]
async fn a_token_is_not_sent_any_more_from_its_end_on() {
    // The end of use is half a minute before the end of life.
    let at_its_end = || {
        let world = World::with_token_for(1);
        world.clock.advance(Duration::from_secs(30));
        world
    };
    let world = at_its_end();
    world.network.on_oauth(|_| tokens("R1", "A1"));
    assert_eq!(token(&world.tokens).await, "A1");
    let world = at_its_end();
    let busy = || Reply::Answer(429, "{}".into());
    world.network.on_oauth(move |_| busy());
    assert!(world.tokens.access_token().await.is_err());
    let failure = world.tokens.usable_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::AccessTokenStale);
    let world = at_its_end();
    world.network.on_oauth(|_| tokens("R1", "A1"));
    let renewed = world.tokens.renew(&SecretString::from("A-stale")).await;
    assert_eq!(renewed.unwrap().expose_secret(), "A1");
}

#[tokio::test]
async fn a_remembered_token_is_not_sent_from_its_end_on_either() {
    let world = World::with_token_for(1);
    world.clock.advance(Duration::from_secs(10));
    assert!(world.tokens.usable_token().await.is_ok());
    world.clock.advance(Duration::from_secs(20));
    let failure = world.tokens.usable_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::AccessTokenStale);
}

#[tokio::test]
async fn a_remembered_token_serves_when_the_store_is_down_and_not_when_the_connection_is_gone() {
    let world = World::with_token_for(11);
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(token(&world.tokens).await, "A0");
    world.clock.advance(Duration::from_secs(40));
    world.store.reads_down.store(1, Ordering::SeqCst);
    assert_eq!(token(&world.tokens).await, "A0");
    world.store.reads_down.store(0, Ordering::SeqCst);
    world.store.change(|grant| grant.revoked = true);
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksDisconnected);
}

#[tokio::test]
async fn an_early_renewal_that_failed_is_tried_again_after_five_minutes() {
    let world = World::with_token_for(9);
    world.network.on_oauth(|_| Reply::Answer(429, "{}".into()));
    assert_eq!(token(&world.tokens).await, "A0");
    let confirm = world.tokens.policy.token_confirm;
    world
        .clock
        .advance(confirm.saturating_sub(Duration::from_secs(1)));
    assert_eq!(token(&world.tokens).await, "A0");
    assert_eq!(world.network.refreshes().len(), 1);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(token(&world.tokens).await, "A0");
    assert_eq!(world.network.refreshes().len(), 2);
}

#[tokio::test]
async fn a_write_of_tokens_is_tried_six_times_with_doubled_waits() {
    let world = World::with_token_for(-1);
    let store = world.store.clone();
    world.network.on_oauth(move |_| {
        store.writes_down.store(50, Ordering::SeqCst);
        tokens("R1", "A1")
    });
    let started = world.clock.now();
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::StoreBusy);
    assert_eq!(world.store.writes_down.load(Ordering::SeqCst), 44);
    let waited = Duration::from_millis(300 * (1 + 2 + 4 + 8 + 16 + 32));
    assert_eq!(elapsed(&world, started), waited);
}

#[tokio::test]
async fn what_an_early_renewal_could_not_store_is_stored_by_the_next_call() {
    let world = World::with_token_for(9);
    let store = world.store.clone();
    world.network.on_oauth(move |_| {
        store.writes_down.store(50, Ordering::SeqCst);
        tokens("R1", "A1")
    });
    assert_eq!(token(&world.tokens).await, "A0");
    assert_eq!(world.store.get().refresh_token.expose_secret(), "R0");
    world.store.writes_down.store(0, Ordering::SeqCst);
    assert_eq!(token(&world.tokens).await, "A1");
    assert_eq!(world.store.get().refresh_token.expose_secret(), "R1");
    assert_eq!(world.network.refreshes().len(), 1);
}

#[tokio::test]
async fn who_is_told_to_slow_down_does_not_ask_again_at_once() {
    let world = World::with_token_for(-1);
    world.network.on_oauth(|_| Reply::Answer(429, "{}".into()));
    let started = world.clock.now();
    let failure = world.tokens.access_token().await.unwrap_err();
    assert_eq!(failure.code(), Code::QuickBooksThrottled);
    assert_eq!(world.network.refreshes().len(), 1);
    assert_eq!(world.clock.now(), started);
}

#[tokio::test]
async fn an_outage_is_asked_three_times_with_growing_waits_and_left_for_later() {
    let world = World::with_token_for(-1);
    world.network.on_oauth(|_| Reply::Answer(503, "{}".into()));
    let started = world.clock.now();
    assert!(world.tokens.access_token().await.is_err());
    let asked: Vec<String> = world.network.refreshes().iter().map(used).collect();
    assert_eq!(asked, ["R0", "R0", "R0"]);
    assert_eq!(elapsed(&world, started), Duration::from_secs(1 + 2));
}

#[tokio::test]
async fn a_connection_is_kept_alive_when_its_week_is_just_over() {
    let world = World::with_token_for(30);
    world.network.on_oauth(|_| tokens("R1", "A1"));
    let week_ago = earlier(world.clock.now(), world.tokens.policy.token_keep_alive);
    world
        .store
        .change(|grant| grant.refreshed_at = Some(week_ago));
    world.tokens.keep_alive().await.unwrap();
    assert_eq!(world.network.refreshes().len(), 1);
}

#[tokio::test]
async fn a_refresh_is_announced_for_half_as_long_again_as_it_can_take() {
    let world = World::with_token_for(-1);
    let (store, started) = (world.store.clone(), world.clock.now());
    world.network.on_oauth(move |_| {
        let announced = store.get().refreshing_until;
        assert_eq!(announced, Some(later(started, Duration::from_secs(30))));
        tokens("R1", "A1")
    });
    assert_eq!(token(&world.tokens).await, "A1");
}

#[tokio::test]
async fn what_intuit_answered_is_told_with_the_doubt_and_with_the_end() {
    let world = World::with_token_for(-1);
    world
        .network
        .on_oauth(|_| Reply::Answer(400, r#"{"error":"invalid_grant"}"#.into()));
    let doubt = world.tokens.access_token().await.unwrap_err();
    assert_eq!(doubt.code(), Code::QuickBooksTokenPending);
    assert_eq!(doubt.answer.status, Some(400));
    world.clock.advance(Duration::from_mins(6));
    let end = world.tokens.access_token().await.unwrap_err();
    assert_eq!(end.code(), Code::QuickBooksDisconnected);
    assert_eq!(end.answer.status, Some(400));
}
