// A program as a plug-in of the planner: each question becomes a line of the contract `liburna-plugin 1`
// (Docs/Plugins.md), and each answer a value.

import ClusterModel
import Kamelot
import Scenarios

/// A plug-in whose answers come from a program.
struct ProgramPlugin: ResourceFinder, JobAssigner, JobSorter, ExtraPass {
  /// An assigner may ask so many questions about the plan before it chooses.
  static let questionLimit = 10_000

  let name: String
  let process: PluginProcess
  let keepsCounts = true

  func find(_ question: FindQuestion) throws(PluginError) -> PluginAnswer<ResourceSet> {
    let line = try process.ask(PluginRequest.find(question, plugin: name))
    return try understood { () throws(PluginError) in
      try PluginReply.find(line, on: question.platform)
    }
  }

  func assign(
    _ question: AssignQuestion, on view: inout PlanView
  ) throws(PluginError) -> PluginAnswer<PluginSpot> {
    let platform = question.platform
    var next = PluginRequest.assign(question, plugin: name)
    for _ in 0...Self.questionLimit {
      let line = try process.ask(next)
      let reply = try understood { () throws(PluginError) in
        try PluginReply.assign(line, on: platform)
      }
      switch reply {
      case .answer(let answer): return answer
      case .start(let start):
        if start >= question.limit { return .nothing(because: nil) }
        guard let spot = view.spot(at: start) else {
          throw PluginError("it chose the start \(start), at which the job does not fit")
        }
        return .chosen(spot)
      case .earliest(let instant):
        next = PluginRequest.spot(
          view.earliestSpot(notBefore: instant), plugin: name, on: platform)
      case .spot(let start):
        next = PluginRequest.spot(view.spot(at: start), plugin: name, on: platform)
      case .free(let start, let end):
        next = PluginRequest.free(view.free(from: start, to: end), plugin: name, on: platform)
      }
    }
    return try understood { () throws(PluginError) in
      throw PluginError("it asked more than \(Self.questionLimit) questions about one job")
    }
  }

  func sort(_ question: SortQuestion) throws(PluginError) -> [Int] {
    let line = try process.ask(PluginRequest.sort(question, plugin: name))
    return try understood { () throws(PluginError) in
      try PluginReply.sort(line, of: question.jobs)
    }
  }

  func run(_ question: ExtraQuestion) throws(PluginError) -> [JobID: String] {
    let line = try process.ask(PluginRequest.extra(question, plugin: name))
    return try understood { () throws(PluginError) in try PluginReply.extra(line) }
  }

  /// Reads an answer; a program that breaks the contract is not asked again.
  private func understood<Answer>(
    _ read: () throws(PluginError) -> Answer
  ) throws(PluginError) -> Answer {
    do throws(PluginError) { return try read() } catch {
      process.end(because: error.description)
      throw error
    }
  }
}

/// Reads `--plugin KIND:NAME=PROGRAM`.
enum PluginOptions {
  private static let kinds = ["find", "assign", "sort", "extra"]

  /// The plug-ins that the options name; `nil` and a message for one that is wrong.
  static func plugins(_ options: [String]) -> (plugins: PlannerPlugins, problem: String?) {
    var plugins = PlannerPlugins()
    for option in options {
      guard let (kind, name, words) = parts(of: option) else {
        return (
          plugins,
          "--plugin must be KIND:NAME=PROGRAM with a KIND of \(kinds.joined(separator: ", ")), "
            + "not \"\(option.prefix(64))\""
        )
      }
      let isNew = add(ProgramPlugin(name: name, process: PluginProcess(words)), kind, &plugins)
      guard isNew else { return (plugins, "--plugin: there are two for \(kind):\(name)") }
    }
    return (plugins, nil)
  }

  private static func parts(
    of option: String
  ) -> (kind: String, name: String, words: [String])? {
    guard let sign = option.firstIndex(of: "="),
      let colon = option[..<sign].firstIndex(of: ":")
    else { return nil }
    let kind = String(option[..<colon])
    let name = String(option[option.index(after: colon)..<sign])
    // No shell reads it: blanks alone part the program from its arguments.
    let words = option[option.index(after: sign)...].split(separator: " ").map(String.init)
    guard kinds.contains(kind), !name.isEmpty, !words.isEmpty else { return nil }
    return (kind, name, words)
  }

  /// Whether there was none of that name yet.
  private static func add(
    _ plugin: ProgramPlugin, _ kind: String, _ plugins: inout PlannerPlugins
  ) -> Bool {
    switch kind {
    case "find": return plugins.finders.updateValue(plugin, forKey: plugin.name) == nil
    case "assign": return plugins.assigners.updateValue(plugin, forKey: plugin.name) == nil
    case "sort":
      guard plugins.sorter == nil else { return false }
      plugins.sorter = plugin
    default: plugins.extraPasses.append(.init(plugin.name, plugin))
    }
    return true
  }
}
