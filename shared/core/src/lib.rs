#![doc = include_str!("../README.md")]

pub mod books;
pub mod eligibility;
pub mod failure;
pub mod ids;
pub mod marker;
pub mod money;
pub mod notice;
pub mod orders;
pub mod policy;
pub mod ports;
pub mod record;
pub mod settings;
pub mod tenant;
pub mod text;
