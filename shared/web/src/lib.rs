#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod assets;
mod call;
mod cookies;
mod error;
mod guard;
mod input;
mod openapi;
mod operation;
mod pace;
mod page;
pub mod part;
mod people;
mod ports;
#[cfg(test)]
mod properties;
mod router;
mod routes;
mod secret;
mod session;
pub mod view;

pub use app::{Web, WebOptions};
pub use openapi::document as openapi_document;
pub use operation::intuit_origins;
pub use people::{Role, admin_links, bench_session, name_owner};
pub use ports::LivePorts;
pub use routes::{Address, Function, Needs, addresses};
