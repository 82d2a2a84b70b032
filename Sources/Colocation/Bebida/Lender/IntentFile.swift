// What is intended for each host, on the disk: replaced as a whole, and there before anything is done about it.
// Only changes of direction are written: how far a host has come in one is seen from itself.

import Encoding
import Glibc
import Wire

/// A file that could not be read or written.
public struct IntentFileError: Error, CustomStringConvertible {
  public let description: String
}

/// The file, on a thread of its own: a disk may take its time.
actor IntentFile {
  struct Intent: Codable, Equatable {
    var host: String
    var epoch: Int64
    var isToBatch: Bool
    var reason: String
    var wish: String?
  }

  private struct Content: Codable {
    var version = 1
    var intents: [Intent]
  }

  private let path: String
  private let disk = EventLoop()
  nonisolated var unownedExecutor: UnownedSerialExecutor { disk.asUnownedSerialExecutor() }

  init(path: String) throws(IntentFileError) {
    self.path = path
    var thread = pthread_t()
    let context = Unmanaged.passRetained(disk)
    let code = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw IntentFileError(description: "the system has no thread left")
    }
    pthread_detach(thread)
  }

  /// What was written last; nothing if there is no file.
  func read() throws(IntentFileError) -> [Intent] {
    guard access(path, F_OK) == 0 || errno != ENOENT else { return [] }
    do {
      let content = try CBORDecoder().decode(
        Content.self, from: readFile(path, limit: 64 << 20))
      guard content.version == 1 else {
        throw IntentFileError(
          description: "\(path) was written by a later release (version \(content.version))")
      }
      return content.intents
    } catch {
      throw IntentFileError(description: "what was lent can't be read from \(path): \(error)")
    }
  }

  /// Keeps a file that can't be read for whoever wants to look into it.
  func setAside() { rename(path, "\(path).broken") }

  /// Returns once it is on the disk.
  func write(_ intents: [Intent]) throws(IntentFileError) {
    let new = "\(path).new"
    do {
      let bytes = try CBOREncoder().encode(Content(intents: intents))
      let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      guard file >= 0 else { throw problem("make \(new)") }
      defer { close(file) }
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        guard count >= 0 || errno == EINTR else { throw problem("write \(new)") }
        rest = rest.dropFirst(max(0, count))
      }
      guard fdatasync(file) == 0, rename(new, path) == 0 else { throw problem("replace \(path)") }
      try syncDirectory()
    } catch let error as IntentFileError {
      throw error
    } catch {
      throw IntentFileError(description: "cannot write \(new): \(error)")
    }
  }

  private func syncDirectory() throws(IntentFileError) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let directory = slash == path.startIndex ? "." : String(path[..<slash])
    let file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw problem("open \(directory)") }
    defer { close(file) }
    guard fsync(file) == 0 else { throw problem("make \(path) durable") }
  }

  private func problem(_ what: String) -> IntentFileError {
    IntentFileError(description: "cannot \(what): \(String(cString: strerror(errno)))")
  }
}
