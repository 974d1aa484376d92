//! The operations, by what they are about.

mod account;
mod callback;
mod companies;
mod connection;
mod export;
mod home;
mod orders;
mod people;
#[cfg(test)]
mod properties;
mod rows;
mod set_up;
mod settings;
mod settings_form;
mod sign_in;
mod story;
mod sync;
mod words;

pub use rows::intuit_origins;
