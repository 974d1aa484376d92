//! What goes wrong.

use purser_transport::TransportErrorKind;

use super::{
    Fault,
    world::{Answer, Flight, Op, SECOND, Stage, World},
};

/// How long a call may stall.
const STALL: i64 = 70 * SECOND;
/// How long the store may be down.
const OUTAGE: i64 = 30 * SECOND;
/// How long Intuit may refuse every token.
const REFUSAL: i64 = 120 * SECOND;

impl World {
    /// Whether `fault` can meet what `worker` is at.
    pub(super) fn can_meet(&self, fault: Fault, worker: usize) -> bool {
        let op = match &self.stages[worker] {
            Stage::Answered { alone: false, .. } => {
                // That it may stall at the next call says the same.
                return matches!(fault, Fault::Death | Fault::Sleeps(_));
            }
            Stage::Asked { op, .. } => op,
            _ => return false,
        };
        let (is_read, is_write) = (matches!(op, Op::Read), matches!(op, Op::Write(..)));
        match fault {
            Fault::Death | Fault::Sleeps(_) | Fault::Stalls => true,
            Fault::ReadFails => is_read,
            Fault::WriteFails | Fault::WriteUnanswered => is_write,
            Fault::StoreDown | Fault::SleepsAfter(_) => is_read || is_write,
            _ => !is_read && !is_write,
        }
    }

    /// `fault` meets what `worker` is at, and it is not [`Fault::Death`].
    pub(super) fn meet(&mut self, fault: Fault, worker: usize) {
        let now = self.now;
        let stage = std::mem::replace(&mut self.stages[worker], Stage::Idle);
        self.stages[worker] = match (stage, fault) {
            (stage, Fault::StoreDown) => {
                self.down_until = now + OUTAGE;
                stage
            }
            (stage, Fault::RefusesAll) => {
                self.refuses_until = now + REFUSAL;
                stage
            }
            (Stage::Asked { op, .. }, fault) => self.meet_call(fault, worker, op),
            (Stage::Answered { answer, alone, .. }, Fault::Sleeps(seconds)) => Stage::Answered {
                answer,
                from: now + i64::from(seconds) * SECOND,
                alone,
            },
            (stage, _) => stage,
        };
    }

    fn meet_call(&mut self, fault: Fault, worker: usize, op: Op) -> Stage {
        let now = self.now;
        let told = |answer| Stage::Answered {
            answer,
            from: now,
            alone: true,
        };
        match (fault, op) {
            (Fault::Sleeps(seconds), op) => Stage::Asked {
                op,
                from: now + i64::from(seconds) * SECOND,
                stalls: false,
            },
            (Fault::Stalls, op) => Stage::Asked {
                op,
                from: now + STALL,
                stalls: true,
            },
            (Fault::SleepsAfter(seconds), op) => Stage::Answered {
                answer: self.effect(worker, op),
                from: now + i64::from(seconds) * SECOND,
                alone: true,
            },
            (Fault::WriteUnanswered, op @ Op::Write(..)) => {
                self.effect(worker, op);
                told(Answer::Write(None))
            }
            (_, Op::Read) => told(Answer::Read(None)),
            (_, Op::Write(..)) => told(Answer::Write(None)),
            (fault, Op::Request { number, timeout }) => {
                let (answer, wait) = self.meet_request(fault, number);
                Stage::Answered {
                    answer: Answer::Request(answer),
                    from: now + if wait { timeout } else { 0 },
                    alone: true,
                }
            }
            (_, Op::Sleep(_) | Op::Rest(..)) => told(Answer::Slept),
        }
    }

    /// The answer, and whether its time runs out first.
    fn meet_request(
        &mut self,
        fault: Fault,
        number: usize,
    ) -> (Result<(u16, String), TransportErrorKind>, bool) {
        let busy = || Ok((503, "<html></html>".to_owned()));
        match fault {
            Fault::AnswerLost => {
                self.request(number, None);
                (Err(TransportErrorKind::Timeout), true)
            }
            Fault::RequestLate => {
                self.flights.push(Flight::Request(number));
                (Err(TransportErrorKind::Timeout), true)
            }
            Fault::Busy => (busy(), false),
            Fault::BusyDone => {
                self.request(number, None);
                (busy(), false)
            }
            _ => (Err(TransportErrorKind::Timeout), true),
        }
    }
}
