// The event loop: descriptors, timers and tasks on one thread.

import Glibc
import Testing

@testable import Wire

/// Runs a loop on a thread of its own until it stops.
private func withLoop(_ body: @Sendable (EventLoop) async throws -> Void) async throws {
  let loop = EventLoop()
  var thread = pthread_t()
  let context = Unmanaged.passRetained(loop)
  pthread_create(&thread, nil, { runLoop($0) }, context.toOpaque())
  defer {
    loop.post { loop.stop() }
    pthread_join(thread, nil)
  }
  try await body(loop)
}

private func runLoop(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context else { return nil }
  Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue().run()
  return nil
}

private actor Resident {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private var heard: [String] = []
  private var streams: [FrameStream] = []

  init(loop: EventLoop) { self.loop = loop }

  /// The order in which two timers and what follows the round come.
  func order() async -> [String] {
    await withCheckedContinuation { continuation in
      loop.after(0.02) {
        self.heard.append("late")
        continuation.resume(returning: self.heard)
      }
      loop.after(0.001) { self.heard.append("early") }
      loop.afterThisRound { self.heard.append("round") }
      let cancelled = loop.after(0.002) { self.heard.append("never") }
      loop.cancel(cancelled)
    }
  }

  private func pair() -> (near: FrameStream, far: FrameStream)? {
    var pair: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else { return nil }
    let near = FrameStream(loop: loop, input: pair[0], output: pair[0])
    let far = FrameStream(loop: loop, input: pair[1], output: pair[1])
    streams = [near, far]
    return (near, far)
  }

  /// What a stream hears that pauses, resumes, pauses again and loses the other end.
  func pausedStream() async -> [String] {
    guard let (near, far) = pair() else { return [] }
    near.start(onFrame: { _ in }, onClose: { _ in })
    near.send(channel: 1, Array("first".utf8))
    near.send(channel: 1, Array("second".utf8))
    return await withCheckedContinuation { continuation in
      far.start(
        onFrame: { frame in
          guard case .channel(_, let bytes) = frame else { return }
          self.heard.append(String(decoding: bytes, as: UTF8.self))
          if self.heard.last == "second" {
            far.pause()
            near.close()
          }
        },
        onClose: { _ in continuation.resume(returning: self.heard + ["gone"]) })
      far.pause()
      loop.after(0.02) {
        self.heard.append("resumed")
        far.resume()
      }
    }
  }

  /// Two frames come at once; the first is answered by a goodbye.
  func lastWords() async -> [String] {
    guard let (near, far) = pair() else { return [] }
    far.start(
      onFrame: { _ in
        self.heard.append("heard")
        far.send(channel: 1, Array("goodbye".utf8))
        far.closeAfterFlush()
      }, onClose: { _ in })
    return await withCheckedContinuation { continuation in
      near.start(
        onFrame: { frame in
          guard case .channel(_, let bytes) = frame else { return }
          self.heard.append(String(decoding: bytes, as: UTF8.self))
        }, onClose: { _ in continuation.resume(returning: self.heard) })
      near.send(channel: 1, [1])
      near.send(channel: 1, [2])
    }
  }

  /// Sends a text of `length` over a socket pair of streams and returns what arrived.
  func echo(length: Int) async -> String {
    var pair: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else { return "" }
    let near = FrameStream(loop: loop, input: pair[0], output: pair[0])
    let far = FrameStream(loop: loop, input: pair[1], output: pair[1])
    streams = [near, far]
    return await withCheckedContinuation { continuation in
      far.start(
        onFrame: { frame in
          if case .channel(_, let bytes) = frame {
            continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
          }
        }, onClose: { _ in })
      near.start(onFrame: { _ in }, onClose: { _ in })
      near.send(channel: 1, Array(repeating: UInt8(ascii: "x"), count: length))
    }
  }

  /// What a stream says when its peer sends garbage.
  func garbage() async -> String {
    var pair: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else { return "" }
    let stream = FrameStream(loop: loop, input: pair[0], output: pair[0], sizeLimit: 1000)
    streams = [stream]
    return await withCheckedContinuation { continuation in
      stream.start(onFrame: { _ in }, onClose: { continuation.resume(returning: $0) })
      write(pair[1], "GET / HTTP/1.1\r\n", 16)
      close(pair[1])
    }
  }
}

@Suite("The event loop") struct EventLoopTests {
  @Test("timers run in order, and a cancelled one never") func timers() async throws {
    try await withLoop { loop in
      #expect(await Resident(loop: loop).order() == ["round", "early", "late"])
    }
  }

  @Test("a frame larger than any socket buffer arrives whole") func largeFrame() async throws {
    try await withLoop { loop in
      let text = await Resident(loop: loop).echo(length: 5_000_000)
      #expect(text.utf8.count == 5_000_000)
    }
  }

  @Test("a paused stream keeps what comes for later, and notices that the other end is gone")
  func paused() async throws {
    try await withLoop { loop in
      #expect(await Resident(loop: loop).pausedStream() == ["resumed", "first", "second", "gone"])
    }
  }

  @Test("a stream that is to close after its last words takes no more frames")
  func lastWords() async throws {
    try await withLoop { loop in
      #expect(await Resident(loop: loop).lastWords() == ["heard", "goodbye"])
    }
  }

  @Test("garbage closes the stream with a reason") func garbage() async throws {
    try await withLoop { loop in
      let reason = await Resident(loop: loop).garbage()
      #expect(reason.contains("frame of"))
    }
  }

  @Test("work posted from another thread runs on the loop") func post() async throws {
    try await withLoop { loop in
      await withCheckedContinuation { continuation in
        loop.post {
          loop.checkIsolated()
          continuation.resume()
        }
      }
    }
  }
}
