//! The queue: SQS FIFO, a group for each tenant and lane.
//!
//! SQS does not say which of several groups it serves next; here it is the one that was served
//! longest ago, and among groups that never were, the one with the oldest message.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Delivery, Inbox, Lane, Message, Queue, StoreError},
    record::{earlier, later},
};

use super::{MemoryStore, whole_seconds};

/// How long a deduplication id is remembered.
const DEDUPLICATION: Duration = Duration::from_mins(5);

type GroupName = (TenantId, Lane);

#[derive(Default)]
pub(super) struct Fifo {
    groups: BTreeMap<GroupName, Group>,
    /// Groups whose first message can be received: the turn they were served in, and that message.
    ready: BTreeSet<(u64, u64, GroupName)>,
    /// Groups whose first message is hidden until a moment.
    hidden: BTreeSet<(Timestamp, GroupName)>,
    /// The groups of the messages that are hidden.
    group_of: BTreeMap<u64, GroupName>,
    remembered: BTreeSet<(GroupName, String)>,
    remembered_by_age: VecDeque<(Timestamp, GroupName, String)>,
    turns: u64,
    letters: u64,
}

#[derive(Default)]
struct Group {
    /// The turn in which it was served last.
    turn: u64,
    letters: VecDeque<Letter>,
}

struct Letter {
    number: u64,
    body: String,
    receives: u32,
    visible_at: Timestamp,
}

impl Fifo {
    /// Puts a body at the end of its group, unless its deduplication id is remembered.
    fn send(&mut self, name: GroupName, deduplication: &str, body: String, now: Timestamp) {
        self.forget(now);
        let remembered = (name, deduplication.to_owned());
        if !self.remembered.insert(remembered.clone()) {
            return;
        }
        let (name, deduplication) = remembered;
        let by_age = (now, name.clone(), deduplication);
        self.remembered_by_age.push_back(by_age);
        self.letters += 1;
        let letter = Letter {
            number: self.letters,
            body,
            receives: 0,
            visible_at: now,
        };
        let group = self.groups.entry(name.clone()).or_default();
        group.letters.push_back(letter);
        if group.letters.len() == 1 {
            self.line_up(name);
        }
    }

    /// Forgets the deduplication ids that are old enough.
    fn forget(&mut self, now: Timestamp) {
        let old = earlier(now, DEDUPLICATION);
        while let Some((sent_at, ..)) = self.remembered_by_age.front()
            && *sent_at <= old
            && let Some((_, name, deduplication)) = self.remembered_by_age.pop_front()
        {
            self.remembered.remove(&(name, deduplication));
        }
    }

    /// Lets the first message of a group be received.
    fn line_up(&mut self, name: GroupName) {
        let Some(group) = self.groups.get(&name) else {
            return;
        };
        if let Some(first) = group.letters.front() {
            self.group_of.remove(&first.number);
            self.ready.insert((group.turn, first.number, name));
        }
    }

    /// Shows what was hidden until now.
    fn show(&mut self, now: Timestamp) {
        while let Some((until, _)) = self.hidden.first()
            && *until <= now
            && let Some((_, name)) = self.hidden.pop_first()
        {
            self.line_up(name);
        }
    }

    fn receive(&mut self, now: Timestamp, until: Timestamp) -> Option<Delivery> {
        self.show(now);
        let (_, number, name) = self.ready.pop_first()?;
        let group = self.groups.get_mut(&name)?;
        self.turns += 1;
        group.turn = self.turns;
        let letter = group.letters.front_mut()?;
        letter.receives += 1;
        letter.visible_at = until;
        let delivery = Delivery {
            receipt: format!("{number}.{}", letter.receives),
            body: letter.body.clone(),
            receives: letter.receives,
        };
        self.group_of.insert(number, name.clone());
        self.hidden.insert((until, name));
        Some(delivery)
    }

    /// The group whose first message is hidden because of this very delivery.
    fn current(&mut self, receipt: &str, now: Timestamp) -> Option<GroupName> {
        self.show(now);
        let (number, receives) = receipt.split_once('.')?;
        let (number, receives): (u64, u32) = (number.parse().ok()?, receives.parse().ok()?);
        let name = self.group_of.get(&number)?;
        let first = self.groups.get(name)?.letters.front()?;
        (first.receives == receives).then(|| name.clone())
    }

    fn remove(&mut self, name: GroupName) {
        let group = self.groups.get_mut(&name);
        let Some(letter) = group.and_then(|group| group.letters.pop_front()) else {
            return;
        };
        self.group_of.remove(&letter.number);
        self.hidden.remove(&(letter.visible_at, name.clone()));
        self.line_up(name);
    }

    fn hide_until(&mut self, name: GroupName, until: Timestamp) {
        let group = self.groups.get_mut(&name);
        let Some(letter) = group.and_then(|group| group.letters.front_mut()) else {
            return;
        };
        self.hidden.remove(&(letter.visible_at, name.clone()));
        letter.visible_at = until;
        self.hidden.insert((until, name));
    }

    /// When the next message can be received.
    fn next(&self) -> Option<Timestamp> {
        let ready = self.ready.first();
        let ready = ready.and_then(|(_, _, name)| self.groups.get(name)?.letters.front());
        let shown_at = ready.map(|letter| letter.visible_at);
        shown_at.or_else(|| self.hidden.first().map(|(until, _)| *until))
    }
}

impl Queue for MemoryStore {
    async fn send(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        for message in messages {
            let body = serde_json::to_string(&message.body).map_err(|_| {
                StoreError::Unreadable("a work message has no JSON form".to_owned())
            })?;
            let name = (message.body.tenant().clone(), message.lane);
            let now = self.now();
            let queue = &mut self.tables().queue;
            queue.send(name, &message.deduplication, body, now);
        }
        Ok(())
    }
}

impl Inbox for MemoryStore {
    async fn receive(&self, visibility: Duration) -> Result<Option<Delivery>, StoreError> {
        let now = self.now();
        let until = later(now, whole_seconds(visibility));
        Ok(self.tables().queue.receive(now, until))
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), StoreError> {
        let now = self.now();
        let queue = &mut self.tables().queue;
        if let Some(name) = queue.current(receipt, now) {
            queue.remove(name);
        }
        Ok(())
    }

    async fn give_back(&self, receipt: &str, delay: Duration) -> Result<(), StoreError> {
        let now = self.now();
        let queue = &mut self.tables().queue;
        if let Some(name) = queue.current(receipt, now) {
            queue.hide_until(name, later(now, whole_seconds(delay)));
        }
        Ok(())
    }
}

impl MemoryStore {
    /// Queues a body as it is, whatever it says.
    pub fn send_raw(&self, tenant: &TenantId, lane: Lane, deduplication: &str, body: &str) {
        let (name, now) = ((tenant.clone(), lane), self.now());
        let queue = &mut self.tables().queue;
        queue.send(name, deduplication, body.to_owned(), now);
    }

    /// When the next message can be received; in the past when one can be right now.
    pub fn next_message(&self) -> Option<Timestamp> {
        self.tables().queue.next()
    }

    /// How many messages are queued or in flight.
    pub fn message_count(&self) -> usize {
        let tables = self.tables();
        let groups = tables.queue.groups.values();
        groups.map(|group| group.letters.len()).sum()
    }
}
