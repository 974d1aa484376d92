//! What goes wrong around the program: each case has its exit code, one sentence of cause and one of
//! remedy, and nothing is stored or lost.

#[path = "program/inputs/connections.rs"]
mod connections;
#[path = "program/inputs/environment.rs"]
mod environment;
#[path = "program/inputs/folders.rs"]
mod folders;
#[path = "program/inputs/words.rs"]
mod words;
