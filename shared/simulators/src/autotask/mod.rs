//! Stand-in for Autotask.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::{Context, ControlError, Controlled, Exchange, StoreError, exchange::json_answer};

/// Stand-in for Autotask.
pub struct AutotaskSimulator {
    _context: Context,
}

impl AutotaskSimulator {
    /// Loads what the store holds.
    pub fn new(context: Context) -> Result<Self, StoreError> {
        Ok(Self { _context: context })
    }

    /// Carries out one request.
    pub async fn handle(&self, _request: Request<Bytes>) -> Exchange {
        std::future::ready(()).await;
        let answer: Response<Bytes> = json_answer(StatusCode::NOT_FOUND, &json!({}));
        Exchange::Answer(answer)
    }
}

impl Controlled for AutotaskSimulator {
    fn switches(&self) -> Value {
        json!({})
    }

    fn change_switches(&self, _changes: Value) -> Result<(), ControlError> {
        Ok(())
    }

    fn act(&self, _action: Value) -> Result<Value, ControlError> {
        Err(ControlError("no such action".into()))
    }

    fn world(&self) -> Value {
        json!({})
    }
}
