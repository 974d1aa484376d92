//! What the web application needs of an engine.

use purser_core::{
    ports::{Clock, Ledger, Registry},
    usecase::Ports,
};
use purser_runtime::outside::LiveOutside;

/// The ports of an engine with live clients, whose store also keeps sessions and people.
pub trait LivePorts:
    Ports<
        Store: Registry,
        Outside = LiveOutside<<Self as LivePorts>::LiveClock, <Self as LivePorts>::LiveLedger>,
    >
{
    /// The clock of the clients.
    type LiveClock: Clock + 'static;
    /// The ledger the clients keep their grants in.
    type LiveLedger: Ledger + 'static;
}

impl<P, C, L> LivePorts for P
where
    P: Ports<Outside = LiveOutside<C, L>>,
    P::Store: Registry,
    C: Clock + 'static,
    L: Ledger + 'static,
{
    type LiveClock = C;
    type LiveLedger = L;
}
