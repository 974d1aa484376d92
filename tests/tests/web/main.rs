//! The web application as a browser and a program meet it: real requests and answers in one
//! process with the engine, the store and both vendors, under a paused clock. The security tests
//! follow the checklist of this project's requirements, row by row; the others the feature list.

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
