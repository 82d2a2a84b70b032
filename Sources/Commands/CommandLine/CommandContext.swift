// What a command is given by the process it runs in; tests give it something else.

import ClusterModel
import Wire

/// The surroundings of one call of a command.
public final class CommandContext {
  /// The command line as typed: the name it was called by and its arguments.
  public internal(set) var words: [String]
  /// The words after the command's name.
  public var arguments: [String]
  public let output: TextStream
  public let errors: TextStream
  /// The descriptor of the standard input.
  public let input: Int32
  public let variable: @Sendable (String) -> String?
  /// Opens a connection to the server; the argument is the command's name, for the server's log.
  public let connect: @Sendable (String) throws -> any ServerLink
  /// The signal that the process is to end by, so that its parent sees it; `nil` to end by exit code.
  public var endingSignal: Int32?
  private var link: (any ServerLink)?

  public init(
    words: [String], output: TextStream, errors: TextStream, input: Int32,
    variable: @escaping @Sendable (String) -> String?,
    connect: @escaping @Sendable (String) throws -> any ServerLink
  ) {
    self.words = words
    arguments = Array(words.dropFirst())
    self.output = output
    self.errors = errors
    self.input = input
    self.variable = variable
    self.connect = connect
  }

  /// The command's name without a path.
  public var program: String {
    let name = words.first ?? "liburna"
    return String(
      name[(name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex)...])
  }

  /// The connection to the server, opened on first use.
  ///
  /// - Throws: ``ServerUnreachable``
  public func server() throws -> any ServerLink {
    if let link { return link }
    let opened = try connect(program)
    link = opened
    return opened
  }

  /// Forgets the connection, so that the next use opens a new one.
  public func disconnect() { link = nil }

  /// Sends a request and returns its first answer. An answer `refused` is thrown.
  ///
  /// - Throws: ``ServerUnreachable``, ``ConnectionLost``, `Refusal`
  public func ask(_ request: ClientRequest) throws -> ServerReply {
    let link = try server()
    let id = try link.send(request)
    return try link.reply(to: id)
  }

  /// Sends a query for jobs and gathers all frames of the answer.
  ///
  /// - Throws: ``ServerUnreachable``, ``ConnectionLost``, `Refusal`
  public func jobs(_ query: JobQuery) throws -> [JobRecord] {
    let link = try server()
    let id = try link.send(.jobs(query))
    var jobs: [JobRecord] = []
    while true {
      guard case .jobs(let some, let last) = try link.reply(to: id) else {
        throw UnexpectedReply(question: "jobs")
      }
      jobs += some
      if last { return jobs }
    }
  }
}
