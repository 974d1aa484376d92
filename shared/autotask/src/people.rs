//! Pick lists and the people of a tenant.

use purser_core::{
    orders::{PickListValue, Resource},
    ports::Clock,
};
use serde_json::json;

use crate::{
    client::AutotaskClient,
    errors::Fault,
    query::Query,
    request::Call,
    wire::{fields, resource, row::Row, todo},
};

const ACTION_TYPES: &str = "ActionTypes";

impl<C: Clock> AutotaskClient<C> {
    /// The pick list of a field; `None` when the field is not shown or has none.
    pub(crate) async fn pick_list(
        &self,
        entity: &'static str,
        field: &'static str,
    ) -> Result<Option<Vec<PickListValue>>, Fault> {
        let call = Call::get(entity, format!("{entity}/entityInformation/fields"));
        self.call(&call, |answer| fields::pick_list(answer, field))
            .await
    }

    pub(crate) async fn read_action_types(&self) -> Result<Vec<PickListValue>, Fault> {
        let listed = self.pick_list(todo::ENTITY, "actionType").await?;
        let mut values = match listed {
            Some(values) if !values.is_empty() => values,
            _ => self.query_action_types().await?,
        };
        values.retain(|value| value.active);
        Ok(values)
    }

    async fn query_action_types(&self) -> Result<Vec<PickListValue>, Fault> {
        let query = Query {
            entity: ACTION_TYPES,
            fields: &["id", "name", "isActive"],
            filter: vec![json!({"op": "eq", "field": "isActive", "value": true})],
        };
        let mut values = Vec::new();
        for row in self.rows(&query).await? {
            values.push(PickListValue {
                value: row.id()?,
                label: row.text("name")?.unwrap_or_default(),
                active: row.flag("isActive")?.unwrap_or(true),
            });
        }
        Ok(values)
    }

    pub(crate) async fn read_resources(&self) -> Result<Vec<Resource>, Fault> {
        let licences = self.licences().await?;
        let query = Query {
            entity: resource::ENTITY,
            fields: resource::FIELDS,
            filter: vec![json!({"op": "eq", "field": "isActive", "value": true})],
        };
        let mut people = Vec::new();
        for row in self.rows(&query).await? {
            let user = &self.config.credentials.user;
            people.extend(resource::read_person(&row, &licences, user)?);
        }
        Ok(people)
    }

    pub(crate) async fn licences(&self) -> Result<Vec<PickListValue>, Fault> {
        let values = self.pick_list(resource::ENTITY, "licenseType").await?;
        Ok(values.unwrap_or_default())
    }

    /// The row of the API user itself, if it is allowed to see it.
    pub(crate) async fn own_resource(&self) -> Result<Option<Row>, Fault> {
        let user = &self.config.credentials.user;
        let same = |field| json!({"op": "eq", "field": field, "value": user});
        let query = Query {
            entity: resource::ENTITY,
            fields: resource::FIELDS,
            filter: vec![json!({"op": "or", "items": [same("userName"), same("email")]})],
        };
        for row in self.rows(&query).await? {
            if resource::is_user(&row, user)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}
