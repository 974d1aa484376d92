#![doc = include_str!("../README.md")]

mod bills;
mod call;
mod changes;
mod client;
mod connect;
mod discovery;
mod encode;
mod exchange;
mod fault;
mod identity;
mod names;
mod oauth;
mod pace;
mod pages;
mod query;
mod realm;
mod send;
mod server_clock;
mod token;
mod verdict;
mod wire;

#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use client::{Config, QuickBooksClient};
pub use connect::{Proof, connect_with_refresh_token, first_grant, prove_realm};
pub use discovery::{
    DISCOVERY_PRODUCTION, DISCOVERY_SANDBOX, Discovery, UntrustedUrl, trusted_url,
};
pub use identity::{Identity, IdentityError, Person};
pub use oauth::{OAuthClient, OAuthConfig, OAuthError, Tokens};
pub use pace::SharedPacer;
pub use token::{TokenConfig, TokenSource};

/// Where QuickBooks is in production.
pub const PRODUCTION: &str = "https://quickbooks.api.intuit.com";
/// Where Intuit's sandbox companies are.
pub const SANDBOX: &str = "https://sandbox-quickbooks.api.intuit.com";
