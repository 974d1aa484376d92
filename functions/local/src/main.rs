//! The single-machine program `purser`.

fn main() {}
