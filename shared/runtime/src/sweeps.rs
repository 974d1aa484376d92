//! What happens by the clock and not by an order: sweeps and mail.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use purser_core::{
    ids::{TenantId, TraceId},
    ports::{Chance as _, Clock, Ledger, Mailer, StoreError},
    record::later,
    usecase::{Engine, Health, Ports},
};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use crate::{outbox, outside::LiveOutside, summary};

/// Tenants that are swept side by side.
const SIDE_BY_SIDE: usize = 8;
/// How long one sweep begins with further tenants. The next one begins elsewhere among them.
const SWEEP_TIME: Duration = Duration::from_secs(200);

/// The event that the sweeper is started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepEvent {
    /// The version of this form; 1.
    pub version: u32,
    /// What to do.
    pub task: SweepTask,
}

/// What the sweeper can be told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepTask {
    /// Queue what is overdue, mend broken chains, keep tokens alive, reconcile bills.
    Sweep,
    /// Send the mails that wait.
    Mail,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Tenants that were swept.
    pub tenants: usize,
    /// Tenants whose sweep failed; they are swept again the next time.
    pub failed: usize,
    /// Tenants there was no time for.
    pub left: usize,
}

/// Sweeps every tenant. One tenant's failure does not stop the others, and where it begins is
/// chance, so that no tenant is always the last.
pub async fn sweep<P, C, L>(engine: &Engine<P>, trace: Option<TraceId>) -> Result<Swept, StoreError>
where
    P: Ports<Outside = LiveOutside<C, L>>,
    C: Clock + 'static,
    L: Ledger + 'static,
{
    let ports = engine.ports();
    let trace = &engine.trace(trace);
    let mut tenants = ports.store().tenants().await?;
    if !tenants.is_empty() {
        let first = tenants.len() * ports.chance().permille() as usize / 1000;
        tenants.rotate_left(first);
    }
    let until = later(ports.clock().now(), SWEEP_TIME);
    let outcomes = stream::iter(tenants).map(|tenant| async move {
        if engine.ports().clock().now() > until {
            return None;
        }
        // Lines of every level need these fields, so the span is there at every level.
        let span = tracing::error_span!("sweep", tenant.id = %tenant, trace.id = %trace);
        Some(sweep_tenant(engine, &tenant, trace).instrument(span).await)
    });
    let outcomes: Vec<_> = outcomes.buffer_unordered(SIDE_BY_SIDE).collect().await;
    let mut swept = Swept::default();
    let mut known = Vec::new();
    for outcome in outcomes {
        match outcome {
            None => swept.left += 1,
            Some(Ok(health)) => {
                swept.tenants += 1;
                known.push(health);
            }
            Some(Err(_)) => swept.failed += 1,
        }
    }
    summary::swept(&known, swept.failed);
    if swept.left > 0 {
        tracing::warn!(tenants = swept.left, "a sweep had no time for all tenants");
    }
    Ok(swept)
}

async fn sweep_tenant<P, C, L>(
    engine: &Engine<P>,
    tenant: &TenantId,
    trace: &TraceId,
) -> Result<Health, StoreError>
where
    P: Ports<Outside = LiveOutside<C, L>>,
    C: Clock + 'static,
    L: Ledger + 'static,
{
    let swept = engine.sweep_tenant(tenant, trace).await;
    let kept = engine.ports().outside().keep_alive(tenant).await;
    if let Err(failure) = &kept {
        tracing::warn!(failure.code = %failure.code(), "keep-alive failed");
    }
    let told = async {
        swept?;
        engine.note_calls(tenant).await?;
        engine.health(tenant).await
    };
    let told = told.await;
    told.inspect_err(|error| tracing::error!(%error, "the sweep of a tenant failed"))
}

/// Sends every mail that waits, for as long as this takes or until `time` is over.
pub async fn mail<P: Ports>(
    engine: &Engine<P>,
    mailer: &impl Mailer,
    time: Duration,
) -> Result<(), StoreError> {
    let clock = engine.ports().clock();
    let until = later(clock.now(), time);
    while clock.now() < until {
        if outbox::send_all(mailer, engine.ports().store(), clock, until).await? {
            return Ok(());
        }
    }
    Ok(())
}
