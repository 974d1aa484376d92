//! The error to-do: found again before it is made, rewritten, completed.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    failure::{Failure, FailureClass},
    ids::{OrderId, TodoId},
    notice::Code,
    orders::{self, todo_key},
    ports::{Autotask, HistoryEvent, NewTodo, StoreError},
    protocol::is_prompt,
    record::{Todo, later},
};

use super::{Ports, attempt::Attempt};

impl<P: Ports> Attempt<'_, P> {
    /// Opens or rewrites the to-do of every order of the group, after one search for open ones.
    pub(super) async fn open_todo_group(&mut self, group: &[usize]) -> Result<(), StoreError> {
        let found = match self.find_todos(group).await {
            Ok(found) => found,
            Err(failure) => return self.fail_group(group, &failure).await,
        };
        for index in group.iter().copied() {
            if self.jobs[index].halt.is_some() {
                continue;
            }
            let Todo::Owed { text, sent_at } = self.jobs[index].record.todo.clone() else {
                continue;
            };
            match of_order(&found, self.jobs[index].id()) {
                Some(open) => self.rewrite(index, open.clone(), text).await?,
                None => self.open(index, text, sent_at).await?,
            }
        }
        Ok(())
    }

    async fn find_todos(&self, group: &[usize]) -> Result<Vec<orders::Todo>, Failure> {
        let ids: Vec<_> = group.iter().map(|index| self.jobs[*index].id()).collect();
        self.autotask.open_todos(&ids).await
    }

    async fn rewrite(
        &mut self,
        index: usize,
        open: orders::Todo,
        text: String,
    ) -> Result<(), StoreError> {
        if open.text.trim() == text.trim() {
            return self
                .todo_is_open(index, open.id, text, HistoryEvent::TodoOpened)
                .await;
        }
        match self.autotask.rewrite_todo(open.id, &text).await {
            Ok(()) => {
                self.todo_is_open(index, open.id, text, HistoryEvent::TodoRewritten)
                    .await
            }
            Err(failure) => self.fail(index, failure).await,
        }
    }

    /// A create is not repeatable: its intent is stored first, and after an answer that did not
    /// come nothing is made anew before the settle time has passed.
    async fn open(
        &mut self,
        index: usize,
        text: String,
        sent_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let now = self.engine.now();
        if let Some(left) = self.todo_doubt(sent_at, now) {
            self.jobs[index].record.todo = Todo::Owed {
                text,
                // A clock that went back since then must not make the wait longer.
                sent_at: sent_at.map(|sent| sent.min(now)),
            };
            let failure = Failure::new(Code::TodoOutcomeUnknown).after(Some(left));
            return self.fail(index, failure).await;
        }
        self.jobs[index].record.todo = Todo::Owed {
            text: text.clone(),
            sent_at: Some(now),
        };
        if let Some(wait) = &mut self.jobs[index].record.wait {
            // It is over, but another failure in a row must still count as one.
            wait.not_before = wait.not_before.min(now);
        }
        self.commit(index, Vec::new()).await?;
        if self.jobs[index].halt.is_some() {
            return Ok(());
        }
        if !is_prompt(now, self.engine.now(), &self.engine.policy) {
            // Others may already believe that nothing comes any more. Nothing was sent: the next attempt
            // looks, finds nothing and sends in time.
            self.jobs[index].record.todo = Todo::Owed {
                text,
                sent_at: None,
            };
            return self.fail(index, Failure::new(Code::TimeShort)).await;
        }
        let todo = NewTodo {
            action_type: self.settings.todo_action_type.id,
            resource: self.settings.todo_resource.id,
            text: text.clone(),
            start: now,
        };
        match self.autotask.create_todo(&todo).await {
            Ok(id) => {
                self.todo_is_open(index, id, text, HistoryEvent::TodoOpened)
                    .await
            }
            Err(failure) => {
                if failure.class() != FailureClass::InDoubt {
                    self.jobs[index].record.todo = Todo::Owed {
                        text,
                        sent_at: None,
                    };
                }
                let stops_all = failure.class() == FailureClass::TenantTrouble;
                if stops_all {
                    self.commit(index, Vec::new()).await?;
                }
                self.fail(index, failure).await
            }
        }
    }

    /// How long a to-do whose create was not answered may still appear.
    fn todo_doubt(&self, sent_at: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
        let sent = sent_at?.min(now);
        let over = later(sent, self.engine.policy.settle);
        let left = Duration::try_from(now.duration_until(over)).ok()?;
        (!left.is_zero()).then_some(left)
    }

    async fn todo_is_open(
        &mut self,
        index: usize,
        id: TodoId,
        text: String,
        event: HistoryEvent,
    ) -> Result<(), StoreError> {
        let words = match event {
            HistoryEvent::TodoRewritten => "The to-do was rewritten.",
            _ => "A to-do is open in Autotask.",
        };
        self.jobs[index].record.todo = Todo::Open { id, text };
        self.jobs[index].record.wait = None;
        let event = self.event(index, event, words, json!({ "todo": id }));
        self.commit(index, vec![event]).await
    }

    /// Completes whatever to-do of these orders is still open.
    pub(super) async fn close_todo_group(&mut self, group: &[usize]) -> Result<(), StoreError> {
        let found = match self.find_todos(group).await {
            Ok(found) => found,
            Err(failure) => return self.fail_group(group, &failure).await,
        };
        for index in group.iter().copied() {
            if self.jobs[index].halt.is_some() {
                continue;
            }
            let id = self.jobs[index].id();
            let now = self.engine.now();
            if let Todo::Closing { sent_at } = self.jobs[index].record.todo
                && of_order(&found, id).is_none()
                && let Some(left) = self.todo_doubt(sent_at, now)
            {
                // It may still appear, and must not stay open then.
                self.jobs[index].record.todo = Todo::Closing {
                    sent_at: sent_at.map(|sent| sent.min(now)),
                };
                let failure = Failure::new(Code::TodoOutcomeUnknown).after(Some(left));
                self.fail(index, failure).await?;
                continue;
            }
            let mut failed = None;
            for open in found
                .iter()
                .filter(|todo| todo.text.contains(&todo_key(id)))
            {
                let at = self.engine.now();
                failed = self.autotask.complete_todo(open.id, at).await.err();
                if failed.is_some() {
                    break;
                }
            }
            if let Some(failure) = failed {
                self.fail(index, failure).await?;
                continue;
            }
            let record = &mut self.jobs[index].record;
            record.todo = Todo::Closed;
            record.wait = None;
            let text = "The to-do is completed.";
            let none = serde_json::Value::Null;
            let event = self.event(index, HistoryEvent::TodoCompleted, text, none);
            self.commit(index, vec![event]).await?;
        }
        Ok(())
    }
}

/// The oldest open to-do with this order's key.
fn of_order(found: &[orders::Todo], order: OrderId) -> Option<&orders::Todo> {
    let key = todo_key(order);
    found
        .iter()
        .filter(|todo| todo.text.contains(&key))
        .min_by_key(|todo| todo.id)
}
