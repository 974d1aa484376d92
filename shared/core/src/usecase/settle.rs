//! Settle: find out what happened to sent bills, with one search for all orders in doubt.

use serde_json::json;

use crate::{
    failure::Failure,
    notice::{Code, Notice},
    ports::{HistoryEvent, Lookup, QuickBooks, StoreError},
    protocol::{Settled, link_to, lookup_window, next_generation, settle},
    record::{Intent, State, Wait},
};

use super::{
    Ports,
    attempt::{Attempt, Halt},
    enter::judge_order,
};

impl<P: Ports> Attempt<'_, P> {
    /// Looks for the bills of all orders of the group at once and acts on what is found.
    pub(super) async fn settle_group(&mut self, group: &[usize]) -> Result<(), StoreError> {
        let guards = self.engine.guards;
        let lookup = if guards.lookup {
            match self.look_up(group).await {
                Ok(lookup) => lookup,
                Err(failure) => return self.fail_group(group, &failure).await,
            }
        } else {
            Lookup {
                bills: Vec::new(),
                server_time: None,
            }
        };
        for index in group.iter().copied() {
            if self.jobs[index].halt.is_some() {
                // Something that holds all of them up came between: nothing is sent, so nothing is
                // noted as sent.
                continue;
            }
            let State::Planned { intent } = &self.jobs[index].record.state else {
                continue;
            };
            let intent = intent.clone();
            let settled = if guards.lookup {
                let record = &self.jobs[index].record;
                let (now, policy) = (self.engine.now(), &self.engine.policy);
                settle(
                    record,
                    &intent,
                    &lookup.bills,
                    lookup.server_time,
                    now,
                    (policy, &guards),
                )
            } else {
                Settled::Absent
            };
            self.act_on(index, intent, settled).await?;
        }
        Ok(())
    }

    async fn look_up(&self, group: &[usize]) -> Result<Lookup, Failure> {
        let now = self.engine.now();
        let windows = group
            .iter()
            .filter_map(|index| match &self.jobs[*index].record.state {
                State::Planned { intent } => Some(lookup_window(intent, now, &self.engine.policy)),
                _ => None,
            });
        let union = windows.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        match union {
            Some((from, to)) => self.quickbooks.bills_created(from, to).await,
            None => Ok(Lookup {
                bills: Vec::new(),
                server_time: None,
            }),
        }
    }

    async fn act_on(
        &mut self,
        index: usize,
        intent: Intent,
        settled: Settled,
    ) -> Result<(), StoreError> {
        match settled {
            Settled::Adopt(bill) => {
                let record = &mut self.jobs[index].record;
                record.wait = None;
                record.state = State::Created {
                    bill: link_to(&bill, record),
                };
                let text = format!(
                    "The bill {} was found in QuickBooks: it had arrived.",
                    bill.id
                );
                let detail = json!({ "bill": bill.id, "request_id": intent.request_id });
                let event = self.event(index, HistoryEvent::Adopted, text, detail);
                self.commit(index, vec![event]).await
            }
            Settled::Conflict(notice, bill) => {
                let link = bill.map(|bill| link_to(&bill, &self.jobs[index].record));
                self.need_person(index, notice, Some(intent), link).await
            }
            Settled::TooEarly(until) => self.wait_for_doubt(index, until).await,
            Settled::Absent => self.send_again(index, intent).await,
        }
    }

    async fn wait_for_doubt(
        &mut self,
        index: usize,
        until: jiff::Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.engine.now();
        let record = &mut self.jobs[index].record;
        let before = record.wait.as_ref();
        record.wait = Some(Wait {
            notice: Notice::new(Code::OutcomeUnknown),
            not_before: until,
            attempts: before.map_or(1, |wait| wait.attempts),
            since: before.map_or(now, |wait| wait.since),
            counted_seconds: before.map_or(0, |wait| wait.counted_seconds),
        });
        let text = format!("Whether the bill was made is known by {until:.0}.");
        let detail = json!({ "code": Code::OutcomeUnknown, "until": until });
        let event = self.event(index, HistoryEvent::Waiting, text, detail);
        self.commit(index, vec![event]).await
    }

    /// The bill is certainly not there: it is sent again under the same request id, with the same
    /// bytes, unless the order may no longer be transferred.
    async fn send_again(&mut self, index: usize, mut intent: Intent) -> Result<(), StoreError> {
        if self.is_time_short() {
            self.jobs[index].halt = Some(Halt::TimeShort);
            return Ok(());
        }
        if let Err(failure) = self.reread(&[index]).await {
            return self.fail(index, failure).await;
        }
        let window = self.window(self.engine.now());
        let job = &self.jobs[index];
        let origin = crate::record::Origin::Sweep;
        if let Err(reason) = judge_order(job.order.as_ref(), &job.record, &window, origin) {
            let guards = self.engine.guards;
            next_generation(&mut self.jobs[index].record, &guards);
            return self.skip(index, reason).await;
        }
        intent.in_doubt = false;
        self.send(index, intent, Vec::new()).await
    }
}
