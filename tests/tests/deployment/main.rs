//! What is deployed, compared with what the code needs: the templates, the roles, the routes, the
//! alarms and the sample events. Nothing here reaches AWS or an emulator.

mod alarms;
mod events;
mod foundation;
mod functions;
mod messages;
mod requests;
mod roles;
mod routes;
mod template;
mod times;
