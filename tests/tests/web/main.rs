//! The web application as a browser and a program meet it: real requests and answers in one
//! process with the engine, the store and both vendors, under a paused clock. The security tests
//! go by what may be done to a web application, one file for each kind; the others by the feature list.

mod addresses;
mod answers;
mod callback;
mod canary;
mod denials;
mod feature_connection;
mod feature_limits;
mod feature_log_list;
mod feature_logs;
mod feature_set_up;
mod feature_settings;
mod feature_settings_kept;
mod feature_story;
mod feature_support;
mod feature_sync;
mod hostile;
mod hostile_file;
mod identity;
mod interface;
mod interface_story;
mod left_alone;
mod memberships;
mod sessions;
mod support;
mod sweep;
mod sweep_guards;
mod tabs;
mod telemetry;
mod tenants;
