//! Wire types: what Autotask's JSON says, in our words. Nothing outside this crate sees them.
//!
//! The vendor adds fields without a version change and leaves out what the API user may not see,
//! so every field but the id is optional and unknown ones are ignored. A field that is there but
//! cannot be read makes the whole answer garbled: a guess here could become a wrong bill.

pub(crate) mod currency;
pub(crate) mod fields;
pub(crate) mod info;
pub(crate) mod line;
pub(crate) mod order;
pub(crate) mod organisation;
pub(crate) mod product;
pub(crate) mod resource;
pub(crate) mod row;
pub(crate) mod threshold;
pub(crate) mod todo;
