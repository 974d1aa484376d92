//! Trying refused orders again, one or many.

use lambda_http::{Error, run, service_fn};
use purser_lambda::WebFunction;
use purser_web::part::Retry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = WebFunction::<Retry>::start().await?;
    run(service_fn(|request| function.answer(request))).await
}
