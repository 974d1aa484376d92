//! The simulators behind one socket of this machine.
//!
//! A cut connection is really closed: the stream of each connection carries a switch, and once it
//! is set no byte leaves any more.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, State, connect_info::Connected},
    serve::{IncomingStream, Listener},
};
use http::{Request, Response, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{Exchange, Simulators};

const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Serves all simulators on `listener` until `shutdown` is done.
pub async fn serve(
    simulators: Arc<Simulators>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let service = Router::new()
        .fallback(answer)
        .with_state((simulators, stopping))
        .into_make_service_with_connect_info::<CutSwitch>();
    let listener = CuttableListener { listener };
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            shutdown.await;
            stop.send_replace(true);
        })
        .await
}

async fn answer(
    State((simulators, mut stopping)): State<(Arc<Simulators>, watch::Receiver<bool>)>,
    ConnectInfo(cut): ConnectInfo<CutSwitch>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    match simulators.handle(Request::from_parts(parts, body)).await {
        Exchange::Answer(response) => response.map(Body::from),
        Exchange::Cut => {
            cut.set();
            status(StatusCode::BAD_GATEWAY)
        }
        Exchange::Silence => {
            // Silence ends with the server, not with the client's patience.
            let _ = stopping.wait_for(|stopping| *stopping).await;
            cut.set();
            status(StatusCode::BAD_GATEWAY)
        }
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Cuts one connection.
#[derive(Clone, Debug, Default)]
struct CutSwitch {
    is_cut: Arc<AtomicBool>,
}

impl CutSwitch {
    fn set(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    fn check(&self) -> io::Result<()> {
        if self.is_cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for CutSwitch {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

struct CuttableListener {
    listener: TcpListener,
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = CutSwitch;

    async fn accept(&mut self) -> (CuttableStream, CutSwitch) {
        let (stream, _) = Listener::accept(&mut self.listener).await;
        let cut = CutSwitch::default();
        let io = CuttableStream {
            stream,
            cut: cut.clone(),
        };
        (io, cut)
    }

    fn local_addr(&self) -> io::Result<CutSwitch> {
        Ok(CutSwitch::default())
    }
}

struct CuttableStream {
    stream: TcpStream,
    cut: CutSwitch,
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
