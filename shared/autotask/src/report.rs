//! The preflight: what the API user may do.

use purser_core::{
    failure::{Failure, FailureClass},
    notice::Code,
    ports::{AutotaskReport, Clock},
};
use serde_json::json;

use crate::{
    client::AutotaskClient,
    errors::Fault,
    query::Query,
    request::Call,
    wire::{info, line, order, resource},
};

/// Lines looked at to see whether costs are shown.
const SAMPLE: usize = 25;

impl<C: Clock> AutotaskClient<C> {
    pub(crate) async fn make_report(&self) -> Result<AutotaskReport, Failure> {
        let orders = self.access(order::ENTITY).await?;
        let lines = self.access(line::ENTITY).await?;
        let costs = if lines.query {
            optional(self.costs_readable().await)?.flatten()
        } else {
            None
        };
        let api_only = optional(self.is_api_only().await)?.flatten();
        let quota = optional(self.read_threshold().await)?;
        let zone = self.zone().await.map_err(|fault| fault.failure)?;
        Ok(AutotaskReport {
            zone_host: zone.base.host_str().unwrap_or_default().to_owned(),
            web_url: zone.web_url,
            database: zone.database,
            may_read_orders: orders.query,
            may_write_orders: orders.update,
            may_read_lines: lines.query,
            api_only,
            costs_readable: costs,
            quota,
        })
    }

    async fn access(&self, entity: &'static str) -> Result<info::Access, Failure> {
        let call = Call::get(entity, format!("{entity}/entityInformation"));
        match self.call(&call, info::read).await {
            Ok(access) => Ok(access),
            // Not even allowed to ask what is allowed: nothing is.
            Err(fault) if fault.code() == Code::AutotaskPermission => Ok(info::Access::default()),
            Err(fault) => Err(fault.failure),
        }
    }

    async fn costs_readable(&self) -> Result<Option<bool>, Fault> {
        let query = Query {
            entity: line::ENTITY,
            fields: line::FIELDS,
            filter: vec![json!({"op": "gte", "field": "id", "value": 0})],
        };
        let mut readable = None;
        for row in self.sample(&query, SAMPLE).await? {
            let has_cost = row.decimal("unitCost")?.is_some();
            readable = Some(readable.unwrap_or(false) || has_cost);
        }
        Ok(readable)
    }

    async fn is_api_only(&self) -> Result<Option<bool>, Fault> {
        match self.own_resource().await? {
            Some(row) => Ok(resource::is_api_only(&row, &self.licences().await?)?),
            None => Ok(None),
        }
    }
}

/// What is nice to know: a refusal leaves it open, but a lost connection fails the report.
fn optional<T>(result: Result<T, Fault>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.failure.class() == FailureClass::Reconnect => Err(fault.failure),
        Err(_) => Ok(None),
    }
}
