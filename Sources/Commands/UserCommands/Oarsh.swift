// `oarsh`: runs a command, or a shell, on another host of the job.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// The command `oarsh`.
public enum Oarsh: Command {
  enum Option {
    static let user = Key<String?>.text(
      "-l", "--user", value: "USER", help: "The user; only yourself is possible")
    static let terminal = Key<Bool>.flag("-t", help: "With a terminal, even for a command")
    static let noTerminal = Key<Bool>.flag("-T", help: "Without a terminal, even for a shell")
    static let noInput = Key<Bool>.flag("-n", help: "Give the command no input")
    static let verbose = Key<Bool>.flag("-v", help: "Say what is done")
    static let quiet = Key<Bool>.flag("-q", help: "Say nothing but errors")
    static let job = Key<Int?>.integer(
      "-j", "--job", value: "JOB", help: "The job (default: OAR_JOB_ID of the environment)")
    static let ignored: [any OptionKey] =
      "xXAaCkKY46".map { Key<Bool>.flag("-\($0)", help: "Of ssh; ignored") }
      + "pocmieFES".map { Key<[String]>.texts("-\($0)", value: "X", help: "Of ssh; ignored") }
  }

  public static let definition = CommandDefinition(
    "oarsh", "Run a command, or a shell, on a host of your job",
    synopsis: ["[OPTIONS] HOST [COMMAND [WORDS]]"], operands: .command,
    options: [
      Option.user, Option.terminal, Option.noTerminal, Option.noInput, Option.job, Option.verbose,
      Option.quiet,
    ] + Option.ignored,
    details: [
      "The command runs in the job's confinement on that host, and ends with the job. The words are "
        + "joined with blanks and given to your shell there, as ssh does. Without a command a login "
        + "shell is opened, at a terminal if there is one here.",
      "Within a job, OAR_JOB_ID says which job is meant; elsewhere set it, or use -j. Who you are is "
        + "known from the system, not from the environment.",
    ],
    examples: [
      ("oarsh node2 hostname", "runs hostname on node2"),
      ("OAR_JOB_ID=12 oarsh node2", "opens a shell in job 12 on node2"),
    ],
    exitCodes: [(0, "the command's own exit code"), (255, "the command could not be run")])

  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    let call = try OarshCall(arguments, in: context)
    let link = try context.server()
    let id = try link.send(.open(call.request))
    guard case .channelOpened(let channel, let host) = try link.reply(to: id) else {
      throw UnexpectedReply(question: "the session")
    }
    if call.isVerbose { context.errors.line("Session in job \(call.request.job) on \(host).") }
    context.errors.flush()
    let hasTerminal = call.request.terminal != nil
    let raw = hasTerminal ? RawTerminal(context.input) : nil
    defer { raw?.restore() }
    // Without a terminal nothing has to be put back, so signals may do what they do by default.
    let signals = SignalQueue(hasTerminal ? sessionSignals : [])
    var session = TerminalSession(
      link: link, channel: channel, context: context, hasTerminal: hasTerminal, signals: signals,
      terminal: raw)
    session.isInputOpen = !call.hasNoInput
    session.knownSize = call.request.terminal?.size
    do {
      return shellExitCode(try session.run())
    } catch SessionStop.signal(let number) {
      context.endingSignal = number
      return 128 + number
    } catch SessionStop.outputClosed {
      return 128 + SIGPIPE
    }
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    switch error {
    case let refusal as Refusal:
      return CommandFailure(255, "oarsh: \(refusal.message)")
    case let unreachable as ServerUnreachable:
      return CommandFailure(
        255, "oarsh: cannot reach the server: \(unreachable.reason).", serverAddressHint)
    case let lost as ConnectionLost:
      return CommandFailure(255, "oarsh: the session was lost: \(lost.reason).")
    case let usage as UsageError:
      var failure = CommandFailure(255)
      failure.lines = usage.messages.map { "oarsh: \($0)" } + ["Try 'oarsh --help'."]
      return failure
    default: return nil
    }
  }
}

/// What one call of `oarsh` asks for.
struct OarshCall {
  let request: SessionRequest
  let hasNoInput: Bool
  let isVerbose: Bool

  /// - Throws: ``CommandFailure``, ``UsageError``
  init(_ first: ParsedArguments, in context: CommandContext) throws {
    var arguments = first
    guard var host = arguments.operands.first else {
      throw CommandFailure(255, "oarsh: no host given.", "Usage: oarsh HOST [COMMAND [WORDS]]")
    }
    var words = Array(arguments.operands.dropFirst())
    // As with ssh, options may also stand between the host and the command.
    if let word = words.first, word.hasPrefix("-"), word != "-" {
      let more = try Oarsh.definition.parse(words)
      words = more.operands
      arguments = Oarsh.definition.adding(more, to: arguments).arguments
    }
    var user = arguments[Oarsh.Option.user]
    if let at = host.lastIndex(of: "@") {
      user = String(host[..<at])
      host = String(host[host.index(after: at)...])
    }
    try Self.check(user: user)
    let isTerminal = isatty(context.input) == 1
    let wantsTerminal = arguments[Oarsh.Option.terminal] || words.isEmpty
    let hasTerminal = isTerminal && wantsTerminal && !arguments[Oarsh.Option.noTerminal]
    request = SessionRequest(
      job: try Self.job(arguments, in: context), host: host, command: words.isEmpty ? nil : words,
      terminal: hasTerminal ? TerminalMode.specification(in: context) : nil)
    hasNoInput = arguments[Oarsh.Option.noInput]
    isVerbose = arguments[Oarsh.Option.verbose]
  }

  private static func job(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws(CommandFailure) -> JobID {
    if let job = arguments[Oarsh.Option.job] { return job }
    guard let text = context.variable("OAR_JOB_ID"), !text.isEmpty else {
      throw CommandFailure(
        255, "oarsh: not in a job: OAR_JOB_ID is not set.",
        "Call it in a job, or say which: OAR_JOB_ID=JOB oarsh HOST COMMAND")
    }
    guard let job = Int(text), job > 0 else {
      throw CommandFailure(
        255, "oarsh: OAR_JOB_ID is \"\(shortened(text))\", which is not the number of a job.")
    }
    return job
  }

  /// The session always runs as the one who asks; saying so is allowed.
  private static func check(user: String?) throws(CommandFailure) {
    guard let user, let entry = getpwuid(getuid()) else { return }
    let own = String(cString: entry.pointee.pw_name)
    guard user == own else {
      throw CommandFailure(
        255, "oarsh: you are \(own): a command can't run as \(shortened(user)) in your job.")
    }
  }
}
