// How a command is run: options parsed, help and version answered, failures turned into messages.

import ClusterModel
import Wire

/// A command: its table and what it does.
public protocol Command: Sendable {
  static var definition: CommandDefinition { get }
  /// Does the work and returns the exit code.
  ///
  /// - Throws: ``CommandFailure``, ``UsageError``, ``ServerUnreachable``, ``ConnectionLost``,
  ///   `Refusal`
  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32
  /// What an error that ``run(_:in:)`` did not handle means; `nil` for the common text and code.
  static func failure(for error: any Error) -> CommandFailure?
}

extension Command {
  public static func failure(for error: any Error) -> CommandFailure? { nil }

  /// Runs one call from its arguments to its exit code; everything was written when it returns.
  public static func call(in context: CommandContext) -> Int32 {
    var code = perform(in: context)
    context.output.flush()
    if let failure = context.output.failure {
      context.errors.line("[ERROR] The output could not be written: \(failure).")
      code = code == 0 ? 1 : code
    }
    context.errors.flush()
    return code
  }

  private static func perform(in context: CommandContext) -> Int32 {
    if context.arguments == [manualPageWord] {
      context.output.write(definition.manualPage)
      return 0
    }
    do {
      let arguments = try definition.parse(context.arguments)
      if arguments.has(StandardOption.help) {
        context.output.write(definition.helpText)
        return definition.helpExitCode
      }
      if arguments.has(StandardOption.version) {
        context.output.line(versionLine)
        return 0
      }
      return try run(arguments, in: context)
    } catch {
      let failure = failure(for: error) ?? commonFailure(for: error, command: definition.name)
      return failure.report(in: context, definition: definition)
    }
  }
}

/// The end of a command that could not do what was asked.
public struct CommandFailure: Error, Sendable {
  public var exitCode: Int32
  /// Lines for the standard error.
  public var lines: [String]
  /// Whether the usage goes to the standard output first, as OAR does for incomplete calls.
  public var showsUsage: Bool

  public init(_ exitCode: Int32, _ lines: String..., showsUsage: Bool = false) {
    self.exitCode = exitCode
    self.lines = lines
    self.showsUsage = showsUsage
  }

  func report(in context: CommandContext, definition: CommandDefinition) -> Int32 {
    if showsUsage { context.output.write(definition.helpText) }
    context.output.flush()
    for line in lines { context.errors.line(line) }
    return exitCode
  }
}

/// The text and exit code of an error where a command has none of its own.
public func commonFailure(for error: any Error, command: String) -> CommandFailure {
  switch error {
  case let failure as CommandFailure:
    return failure
  case let usage as UsageError:
    var failure = CommandFailure(1)
    failure.lines = usage.messages + ["Try '\(command) --help' for its options."]
    return failure
  case let unreachable as ServerUnreachable:
    return CommandFailure(
      2, "[ERROR] Cannot reach the server: \(unreachable.reason).",
      "Nothing was changed. \(serverAddressHint)")
  case let lost as ConnectionLost:
    return CommandFailure(
      2, "[ERROR] The server's answer was lost: \(lost.reason).",
      "Whether it was done is not known: look with oarstat or oarnodes before you ask again.")
  case let refusal as Refusal:
    return CommandFailure(1, "[ERROR] \(refusal.message)")
  case let unexpected as UnexpectedReply:
    return CommandFailure(
      1,
      "[ERROR] The server's answer about \(unexpected.question) is of a kind that this command "
        + "does not know. Install the same version of Liburna here and on the server.")
  default:
    return CommandFailure(1, "[ERROR] \(error)")
  }
}

/// Where the address of the server comes from.
public let serverAddressHint =
  "Is liburnad running? LIBURNA_SOCKET, SERVER_HOSTNAME and SERVER_PORT of oar.conf say where it is "
  + "looked for."

/// Alone on the line it makes any command write its manual page; for packages, so no help lists it.
let manualPageWord = "--manual-page"

/// What `-V` prints: the OAR version whose behaviour is followed, in OAR's shape, and our own.
public let versionLine = "OAR version : 2.5.9 (Liburna \(liburnaVersion))"
