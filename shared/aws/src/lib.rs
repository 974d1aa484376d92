#![doc = include_str!("../README.md")]

mod access;
mod body;
mod clock;
mod documents;
mod error;
mod item;
mod keys;
mod ledger;
mod mailer;
mod outbox;
mod queue;
mod reading;
mod records;
mod registry;
mod schedule;
mod secrets;
mod store;
mod table;

pub use access::{Access, AccessError};
pub use aws_types::SdkConfig;
pub use mailer::AwsMailer;
pub use queue::AwsQueue;
pub use schedule::{AwsSchedule, ScheduleTarget};
pub use secrets::AwsSecrets;
pub use store::AwsStore;
pub use table::create_table;
