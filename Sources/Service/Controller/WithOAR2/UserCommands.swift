// Commands of users that are told of their jobs (`oarsub --notify exec:…`). As under OAR 2 they run on the
// host that the job was submitted from, as its user, by OAR's ssh and `oardodo`.

import ClusterModel
import Glibc
import NodeConnections
import Storage

/// What a user can be told of a job: OAR's tag and words for it.
enum JobTag: Hashable {
  case running
  case suspended
  case resuming
  case end
  case error
  /// Something else, with what it is.
  case info(String)

  /// - Returns: `nil` for states that nobody is told of.
  init?(_ state: JobState) {
    switch state {
    case .running: self = .running
    case .suspended: self = .suspended
    case .resuming: self = .resuming
    case .terminated: self = .end
    case .error: self = .error
    default: return nil
    }
  }

  /// The end of the job was asked for, with OAR's words for who did.
  static func deletion(_ text: String) -> JobTag {
    .info("Your job was asked to be deleted - \(text)")
  }

  var word: String {
    switch self {
    case .running: "RUNNING"
    case .suspended: "SUSPENDED"
    case .resuming: "RESUMING"
    case .end: "END"
    case .error: "ERROR"
    case .info: "INFO"
    }
  }

  var text: String {
    switch self {
    case .running: "Job is running."
    case .suspended: "Job is suspended."
    case .resuming: "Job is resuming."
    case .end: "Job stopped normally."
    case .error: "Job stopped abnormally or an OAR error occured."
    case .info(let text): text
    }
  }
}

/// A command of a user, from `[RUNNING,END]exec:/path/to/program words`.
struct UserCommand {
  /// Words of a command at most, as many as its column has room for.
  static let wordLimit = 128

  /// The tags that it is for; empty for all.
  var tags: Set<Substring> = []
  var words: [String]

  /// - Returns: `nil` for what asks for no command.
  init?(_ text: String) {
    var rest = text[...]
    if rest.first == "[" {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      tags = Set(rest[..<end].dropFirst().split { $0 == "," || $0 == " " })
      rest = rest[end...].dropFirst()
    }
    guard rest.hasPrefix("exec:") else { return nil }
    words = rest.dropFirst("exec:".count).split(whereSeparator: \.isWhitespace).map(String.init)
    if words.isEmpty || words.count > Self.wordLimit { return nil }
  }

  /// The command that tells a tag; `nil` if it is not for that tag, or the job's user is not one who may have
  /// any.
  func words(telling tag: JobTag, of job: Job) -> [String]? {
    let user = job.request.user
    // OAR's oardodo stays root for a user that is not named.
    guard tags.isEmpty || tags.contains(tag.word[...]), let first = user.utf8.first,
      first != UInt8(ascii: "-"), user != "root", user != OAR2NodeSettings.account,
      user.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    return words + [String(job.id), job.request.name ?? "", tag.word, tag.text]
  }

  /// What OAR's account runs on the host: the same for every user and command. The words come over its
  /// standard input, each with a NUL at its end, so no shell sees them; `-x` refuses to part them.
  static let script =
    "PATH=\"$PATH:\(ProgramDelivery.oarFolders)\"; exec xargs -0 -x -r -n 1000 env >/dev/null 2>&1"

  /// The input for ``script`` that runs words as a user.
  static func input(_ words: [String], as user: String) -> [UInt8] {
    (["OARDO_BECOME_USER=\(user)", "oardodo"] + words).flatMap { word in
      word.utf8.filter { $0 != 0 } + [0]
    }
  }
}

extension ClusterState {
  /// Has the user's command told of a job's state, once that is durable.
  func tellUser(of job: Job, in state: JobState, _ outcome: inout Outcome) {
    // OAR's `bipbip` says itself that a job of its own runs.
    if runByOAR.contains(job.id), !state.isFinal { return }
    JobTag(state).map { tellUser(of: job, $0, &outcome) }
  }

  /// The same for any word. A metascheduler tells nobody: OAR 2's own modules do.
  func tellUser(of job: Job, _ tag: JobTag, _ outcome: inout Outcome) {
    guard let notify = job.request.notify, !notify.isEmpty, !isBesideOAR2 else { return }
    outcome.effects.append(.tellUser(job, tag))
  }
}

extension Controller {
  /// Commands that run at a time, of all users and of one.
  static let userCommandsAtOnce = 24
  private static let userCommandsOfOne = 4
  /// Seconds that one may take.
  private static let userCommandLimit: Seconds = 60

  /// Runs the user's command; those of one job come one after the other, and a user whose commands hang
  /// holds up no others.
  func tellUser(of job: Job, _ tag: JobTag) {
    guard let side = withOAR2, let ssh = settings.withOAR2?.nodes.ssh, !isStopping,
      let command = job.request.notify.flatMap({ UserCommand($0) }),
      let told = command.words(telling: tag, of: job)
    else { return }
    let way: [String]
    do {
      way = try ssh.words(host: job.request.submissionHost)
    } catch {
      return note(tag, of: job, command, .notStarted("\(error)"))
    }
    let user = job.request.user
    var variables = variablesForPrograms()
    variables["OARCONFFILE"] = nil
    side.userCommands.run(
      ProgramCall(
        words: way + [UserCommand.script], variables: variables,
        input: UserCommand.input(told, as: user), isQuiet: true, limit: Self.userCommandLimit,
        key: "\(user) \(job.id % Self.userCommandsOfOne)")
    ) { self.note(tag, of: job, command, $0) }
  }

  private func note(_ tag: JobTag, of job: Job, _ command: UserCommand, _ end: ProgramEnd) {
    let problem = end.problem
    let type = problem == nil ? "USER_EXEC_NOTIFICATION" : "USER_EXEC_NOTIFICATION_ERROR"
    let text = shortened(command.words.joined(separator: " "))
    commit(
      Outcome(changes: [
        .event(
          JobEvent(
            type, job: job.id, at: Self.now,
            String("\(tag.word) told to \(text): \(problem ?? "done")".prefix(255))))
      ]))
  }
}
