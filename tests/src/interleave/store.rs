//! The store of the grant, true or lying.

use purser_core::{
    ports::{Expected, Put},
    tenant::{Grant, Stored},
};

use super::{
    Lie, Property,
    intuit::number_of,
    world::{Flight, SECOND, World, moment, token},
};

impl World {
    pub(super) fn read(&mut self, process: usize) -> Stored<Grant> {
        let believed = match self.lie {
            Lie::NoSecondLook => self.believed[process].take(),
            _ => self.believed[process].clone(),
        };
        let mut seen = believed.unwrap_or_else(|| self.stored.clone());
        match self.lie {
            Lie::NoAnnouncement => seen.value.refreshing_until = None,
            Lie::EndlessAnnouncement if seen.value.refreshing_until.is_some() => {
                seen.value.refreshing_until = Some(moment(self.now + 30 * SECOND));
            }
            _ => {}
        }
        seen
    }

    pub(super) fn write(&mut self, process: usize, grant: &Grant, expected: &Expected<u64>) -> Put {
        let version = self.stored.version;
        let is_announcement = grant.refreshing_until.is_some();
        if self.lie == Lie::NoSecondLook && is_announcement {
            let mut announced = self.stored.value.clone();
            announced.refreshing_until = grant.refreshing_until;
            self.store(&announced);
            self.believed[process] = Some(Stored {
                value: grant.clone(),
                version: version + 1,
            });
            return Put::Done(version + 1);
        }
        let is_expected = *expected == Expected::Is(version) || self.lie == Lie::NoCompare;
        if !is_expected {
            return Put::Conflict;
        }
        let is_new = token(&grant.refresh_token) != token(&self.stored.value.refresh_token);
        if self.lie == Lie::WriteBehind && is_new {
            self.intuit
                .note_acknowledged(number_of(token(&grant.refresh_token)));
            let flight = Flight::Write(process, Box::new(grant.clone()), expected.clone());
            self.flights.push(flight);
            self.believed[process] = Some(Stored {
                value: grant.clone(),
                version: version + 1,
            });
        } else {
            self.store(grant);
        }
        Put::Done(version + 1)
    }

    /// What was on its way arrives.
    pub(super) fn arrive(&mut self, flight: usize) {
        match self.flights.remove(flight) {
            Flight::Request(number) => {
                self.request(number, None);
            }
            Flight::Write(process, grant, expected) => {
                self.believed[process] = None;
                if expected == Expected::Is(self.stored.version) {
                    self.store(&grant);
                }
            }
        }
    }

    fn store(&mut self, grant: &Grant) {
        let mut grant = grant.clone();
        if self.lie == Lie::NoPrevious {
            grant.previous_refresh_token = None;
        }
        let number = number_of(token(&grant.refresh_token));
        let access = grant.access.as_ref();
        let access = access.map(|access| number_of(token(&access.token)));
        self.intuit.note_acknowledged(number);
        if let Some(access) = access {
            self.intuit.note_stored(access);
        }
        if number < self.newest {
            self.broken = Some(Property::NothingStale);
        }
        self.newest = self.newest.max(number);
        let previous = grant.previous_refresh_token.as_ref();
        let previous = previous.map(|previous| number_of(token(previous)));
        if let Some(previous) = previous {
            self.intuit.note_acknowledged(previous);
        }
        let mut stored = [Some(number), previous].into_iter().flatten();
        let now = self.now;
        if grant.revoked
            && !self.stored.value.revoked
            && (stored.any(|number| self.intuit.accepts(number, now))
                || self.intuit.is_awaited(now))
        {
            self.broken = Some(Property::NoFalseDisconnect);
        }
        self.stored = Stored {
            value: grant,
            version: self.stored.version + 1,
        };
    }
}
