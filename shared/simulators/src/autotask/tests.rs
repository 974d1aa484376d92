//! The rules of the interface, driven as a client drives them.

mod access;
mod bench;
mod control;
mod faults;
mod orders;
mod queries;
mod shapes;
mod todos;
mod traffic;
mod writes;
