//! Stories of a tenant, told below the command line: production clients, handlers and store against
//! the simulators. Each test is a row, or a few, of the product's feature list; `tests/README.md`
//! says which.

mod bills;
mod calls;
mod currencies;
mod databases;
mod deliveries;
mod eligibility;
mod hands;
mod left_alone;
mod mails;
mod matching;
mod reconciliation;
mod refusals;
mod runs;
mod setup;
mod tokens;
mod troubles;
