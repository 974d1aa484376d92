//! What a person asks for now: one order, or the next run.

use lambda_http::{Error, run, service_fn};
use purser_lambda::WebFunction;
use purser_web::part::SyncOne;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = WebFunction::<SyncOne>::start().await?;
    run(service_fn(|request| function.answer(request))).await
}
