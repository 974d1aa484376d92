#![doc = include_str!("../README.md")]

mod client;
mod config;
mod errors;
mod gate;
mod host;
mod people;
mod port;
mod query;
mod quota;
mod report;
mod request;
mod retry;
mod todos;
mod wire;
mod zone;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use client::AutotaskClient;
pub use config::{Config, DEFAULT_ZONE_URL};
pub use gate::TenantGate;
