//! How states of the outside are told apart.

use std::hash::{Hash, Hasher};

use purser_core::{ports::Put, tenant::Grant};

use super::world::{Answer, Flight, Stage, World, token};

impl World {
    /// Adds all that bears on what happens next, but for what the processes know.
    pub(super) fn add_to(&self, hasher: &mut impl Hasher) {
        (self.now, self.stored.version, self.newest).hash(hasher);
        self.faults_left.hash(hasher);
        self.down_until.max(self.now).hash(hasher);
        self.refuses_until.max(self.now).hash(hasher);
        add_grant(&self.stored.value, hasher);
        self.intuit.add_to(self.now, hasher);
        for flight in &self.flights {
            match flight {
                Flight::Request(number) => number.hash(hasher),
                Flight::Write(_, grant, _) => add_grant(grant, hasher),
            }
        }
    }

    /// Adds how far the call of a worker is; what it asked for follows from what it knows.
    pub(super) fn add_stage(&self, worker: usize, hasher: &mut impl Hasher) {
        let stage = &self.stages[worker];
        std::mem::discriminant(stage).hash(hasher);
        match stage {
            Stage::Asked { from, stalls, .. } => (*from.max(&self.now), stalls).hash(hasher),
            Stage::Answered {
                answer,
                from,
                alone,
            } => {
                (from, alone).hash(hasher);
                add_answer(answer, hasher);
            }
            Stage::Idle | Stage::Over => {}
        }
    }

    /// Adds what a process is made to believe.
    pub(super) fn add_belief(&self, process: usize, hasher: &mut impl Hasher) {
        if let Some(believed) = &self.believed[process] {
            believed.version.hash(hasher);
            add_grant(&believed.value, hasher);
        }
    }
}

pub(super) fn add_answer(answer: &Answer, hasher: &mut impl Hasher) {
    match answer {
        Answer::Read(None) | Answer::Write(None) | Answer::Slept | Answer::Anew => 0.hash(hasher),
        Answer::Read(Some(stored)) => {
            stored.version.hash(hasher);
            add_grant(&stored.value, hasher);
        }
        Answer::Write(Some(Put::Done(version))) => version.hash(hasher),
        Answer::Write(Some(Put::Conflict)) => 1.hash(hasher),
        Answer::Request(Ok(answer)) => answer.hash(hasher),
        Answer::Request(Err(_)) => 2.hash(hasher),
    }
}

fn add_grant(grant: &Grant, hasher: &mut impl Hasher) {
    token(&grant.refresh_token).hash(hasher);
    grant
        .previous_refresh_token
        .as_ref()
        .map(token)
        .hash(hasher);
    let access = grant.access.as_ref();
    access.map(|access| token(&access.token)).hash(hasher);
    access.map(|access| access.expires_at).hash(hasher);
    (grant.refreshing_until, grant.refreshed_at).hash(hasher);
    (grant.doubted_at, grant.revoked).hash(hasher);
    (grant.refresh_expires_at, grant.hard_expires_at).hash(hasher);
}
