//! The wire between clients and simulators, where a test can act or cut at a chosen call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use purser_simulators::Simulators;
use purser_transport::{BoxFuture, Transport, TransportError};
use tokio::sync::Notify;

/// How long a late request is under way: less than QuickBooks' own limit for one.
const LATE: Duration = Duration::from_secs(100);

/// Where in a call something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the request arrives.
    Before,
    /// After its effect, before the answer is seen.
    After,
    /// The caller is cut off while the request is under way; it arrives 100 seconds later.
    Late,
}

type Act = Box<dyn FnOnce(&Simulators) + Send>;

enum Happening {
    /// Somebody does something.
    Act(Act),
    /// The caller never hears anything again.
    Cut,
    /// The caller hears of it only this much later.
    Stall(Duration),
}

struct Rule {
    method: &'static str,
    path_end: &'static str,
    left: u32,
    moment: Moment,
    happening: Happening,
}

/// The wire.
pub struct Tap {
    simulators: Arc<Simulators>,
    rules: Mutex<Vec<Rule>>,
    /// Calls that a defect of ours meets each time: the end of the path, and what the body holds.
    defects: Mutex<Vec<(&'static str, String)>>,
    cut: Notify,
}

impl Tap {
    pub(super) fn new(simulators: Arc<Simulators>) -> Self {
        Self {
            simulators,
            rules: Mutex::default(),
            defects: Mutex::default(),
            cut: Notify::new(),
        }
    }

    /// At the `nth` coming call of this method to a path with this end, `act` happens.
    pub fn at(
        &self,
        (method, path_end, nth): (&'static str, &'static str, u32),
        moment: Moment,
        act: impl FnOnce(&Simulators) + Send + 'static,
    ) {
        self.add(
            (method, path_end, nth),
            moment,
            Happening::Act(Box::new(act)),
        );
    }

    /// At the `nth` coming call of any kind the caller is cut off: it is to be dropped.
    pub fn cut_at(&self, nth: u32, moment: Moment) {
        self.cut(("", "", nth), moment);
    }

    /// The same at the `nth` coming call of this method to a path with this end.
    pub fn cut(&self, call: (&'static str, &'static str, u32), moment: Moment) {
        self.add(call, moment, Happening::Cut);
    }

    /// The caller of the `nth` such call is asleep for so long.
    pub fn stall(&self, call: (&'static str, &'static str, u32), moment: Moment, time: Duration) {
        self.add(call, moment, Happening::Stall(time));
    }

    /// How many rules have not met their call yet.
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Forgets all rules that have not met their call, and all defects.
    pub fn clear(&self) {
        self.lock().clear();
        self.defects().clear();
    }

    /// From now on each caller panics whose call to a path with this end holds this text.
    pub fn defect(&self, path_end: &'static str, text: impl Into<String>) {
        self.defects().push((path_end, text.into()));
    }

    /// Waits until a caller was cut off.
    pub async fn was_cut(&self) {
        self.cut.notified().await;
    }

    fn add(
        &self,
        (method, path_end, nth): (&'static str, &'static str, u32),
        moment: Moment,
        happening: Happening,
    ) {
        self.lock().push(Rule {
            method,
            path_end,
            left: nth,
            moment,
            happening,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn defects(&self) -> MutexGuard<'_, Vec<(&'static str, String)>> {
        self.defects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_defect(&self, request: &Request<Bytes>) -> bool {
        let defects = self.defects();
        if defects.is_empty() {
            return false;
        }
        let (path, body) = (request.uri().path(), request.body());
        let body = String::from_utf8_lossy(body);
        let mut all = defects.iter();
        all.any(|(end, text)| path.ends_with(end) && body.contains(text.as_str()))
    }

    /// The rules that this call meets.
    fn met(&self, method: &str, path: &str) -> Vec<(Moment, Happening)> {
        let mut rules = self.lock();
        let mut met = Vec::new();
        for rule in std::mem::take(&mut *rules) {
            let fits =
                (rule.method.is_empty() || rule.method == method) && path.ends_with(rule.path_end);
            match rule.left {
                1 if fits => met.push((rule.moment, rule.happening)),
                left => rules.push(Rule {
                    left: left - u32::from(fits),
                    ..rule
                }),
            }
        }
        met
    }

    fn arrive_late(&self, request: Request<Bytes>, timeout: Duration) {
        let simulators = Arc::clone(&self.simulators);
        tokio::spawn(async move {
            tokio::time::sleep(LATE).await;
            drop(simulators.send(request, timeout).await);
        });
    }

    async fn happen(&self, happenings: Vec<Happening>) {
        for happening in happenings {
            match happening {
                Happening::Act(act) => act(&self.simulators),
                Happening::Stall(time) => tokio::time::sleep(time).await,
                Happening::Cut => {
                    self.cut.notify_one();
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

impl Transport for Tap {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            assert!(!self.is_defect(&request), "a defect");
            let met = self.met(request.method().as_str(), request.uri().path());
            let (before, after): (Vec<_>, Vec<_>) = met
                .into_iter()
                .partition(|(moment, _)| *moment == Moment::Before);
            if after.iter().any(|(moment, _)| *moment == Moment::Late) {
                self.arrive_late(request.clone(), timeout);
                self.happen(vec![Happening::Cut]).await;
            }
            self.happen(before.into_iter().map(|(_, act)| act).collect())
                .await;
            let answer = self.simulators.send(request, timeout).await;
            self.happen(after.into_iter().map(|(_, act)| act).collect())
                .await;
            answer
        })
    }
}
