#![doc = include_str!("../README.md")]

pub mod adapters;
pub mod configuration;
pub mod connect;
pub mod connections;
pub mod deliveries;
pub mod handlers;
pub mod metrics;
pub mod outbox;
pub mod outside;
pub mod preflight;
#[cfg(test)]
mod properties;
pub mod settings;
pub mod summary;
pub mod sweeps;
pub mod telemetry;
pub mod vault;
