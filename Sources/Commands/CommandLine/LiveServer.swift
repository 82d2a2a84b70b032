// The connection to a real server, and the surroundings of a real process.

import ClusterModel
import Credentials
import Glibc
import Wire

/// A ``ServerLink`` over a socket.
final class LiveServerLink: ServerLink {
  private let connection: ServerConnection

  /// - Parameter configuration: where the server is; `nil` for what `oar.conf` of this host says.
  init(program: String, configuration: Configuration? = nil) throws(ServerUnreachable) {
    do throws(ConnectionError) {
      let known: Configuration
      if let configuration { known = configuration } else { known = try .ofCommands() }
      connection = try ServerConnection.open(
        program: program, configuration: known, seal: Munge.seal)
    } catch {
      throw ServerUnreachable(reason: error.description)
    }
  }

  var descriptor: Int32 { connection.descriptor }
  var hasEvent: Bool { connection.hasMessage }

  func send(_ request: ClientRequest) throws -> Int {
    do { return try connection.send(request) } catch {
      throw ConnectionLost(reason: error.description)
    }
  }

  func send(_ bytes: [UInt8], channel: Int) throws {
    do { try connection.send(channel: channel, bytes) } catch {
      throw ConnectionLost(reason: error.description)
    }
  }

  func receive() throws -> ServerEvent {
    do {
      switch try connection.receive() {
      case .reply(let id, let reply): return .reply(id: id, reply)
      case .channel(let channel, let bytes): return .data(channel: channel, bytes)
      }
    } catch {
      throw ConnectionLost(reason: error.description)
    }
  }
}

extension CommandContext {
  /// The surroundings of this process.
  public static func ofThisProcess(words: [String]) -> CommandContext {
    CommandContext(
      words: words, output: TextStream(descriptor: STDOUT_FILENO),
      errors: TextStream(descriptor: STDERR_FILENO), input: STDIN_FILENO,
      variable: { name in getenv(name).map { String(cString: $0) } },
      connect: { program in
        let isBebida = words.prefix(2).contains { $0 == "bebida" || $0.hasSuffix("/bebida") }
        let configuration = isBebida ? Configuration.ofBebida() : nil
        return try LiveServerLink(program: program, configuration: configuration)
      })
  }
}
