#![doc = include_str!("../README.md")]

pub mod adapters;
pub mod configuration;
pub mod connect;
pub mod connections;
pub mod handlers;
pub mod outbox;
pub mod outside;
pub mod preflight;
pub mod settings;
pub mod telemetry;
pub mod vault;
