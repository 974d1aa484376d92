//! A choice in words, for people who read a schedule.

use secrecy::ExposeSecret as _;

use super::{
    history::{Choice, History},
    world::{Answer, Flight, Op, Stage},
};

impl History<'_> {
    /// What a choice means here, in words.
    pub(super) fn words(&self, choice: Choice) -> String {
        let world = self.world();
        let seconds = world.now / 1000;
        let at = |worker: usize| {
            let process = self.workers[worker].process + 1;
            match &world.stages[worker] {
                Stage::Asked { op: Op::Read, .. } => format!("process {process} reads"),
                Stage::Asked {
                    op: Op::Write(grant, _),
                    ..
                } => {
                    let token = grant.refresh_token.expose_secret();
                    let what = match (grant.revoked, grant.refreshing_until, grant.doubted_at) {
                        (true, ..) => "that it is over",
                        (_, Some(_), _) => "an announcement",
                        (.., Some(_)) => "a doubt",
                        _ => "the grant",
                    };
                    format!("process {process} writes {what} with {token}")
                }
                Stage::Asked {
                    op: Op::Request { number, .. },
                    ..
                } => {
                    format!("process {process} shows R{number} to Intuit")
                }
                Stage::Answered {
                    answer: Answer::Request(Ok((200, body))),
                    ..
                } => {
                    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
                    format!("process {process} is given {}", body["refresh_token"])
                }
                _ => format!("process {process} is answered"),
            }
        };
        match choice {
            Choice::Go(worker) => format!("{seconds} s: {}", at(worker)),
            Choice::Meet(fault, worker) => format!("{seconds} s: {fault:?}: {}", at(worker)),
            Choice::Arrive(flight) => match &world.flights[flight] {
                Flight::Request(number) => format!("{seconds} s: R{number} arrives late"),
                Flight::Write(..) => format!("{seconds} s: a write arrives late"),
            },
            Choice::Wait => format!("{seconds} s: nothing happens"),
        }
    }
}
