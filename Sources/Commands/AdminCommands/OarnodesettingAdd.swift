// `oarnodesetting -a`: new resources.

import ClusterModel
import CommandLine
import Wire

enum ResourceAddition {
  /// Adds one resource to each named host.
  static func run(
    _ setting: ResourceSetting, _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> Int32 {
    guard arguments[OarnodesettingOption.resources].isEmpty,
      arguments[OarnodesettingOption.condition] == nil
    else {
      throw CommandFailure(
        1, "/!\\ --add makes a new resource: it goes with -h or -f, not with -r or --sql.",
        showsUsage: true)
    }
    guard setting.maintenance == nil else {
      throw CommandFailure(
        1, "/!\\ --maintenance is for resources that exist: add it with -s Absent instead.")
    }
    var setting = setting
    if let drain = setting.drain {
      setting.drain = nil
      setting.properties.append(("drain", drain ? "YES" : "NO"))
    }
    for host in try HostNames.named(arguments) {
      guard case .added(let id) = try context.ask(.addResource(host: host, setting)) else {
        throw UnexpectedReply(question: "a new resource")
      }
      context.output.line("New resource added:  \(host)")
      report(setting, on: id, context)
    }
    return 0
  }

  /// A line for each property; OAR counts only values that differ from a new resource's.
  private static func report(
    _ setting: ResourceSetting, on id: ResourceID, _ context: CommandContext
  ) {
    let fresh = Resource(id: id)
    for (name, value) in setting.properties {
      let isNew = fresh.value(of: name)?.text != value
      context.output.line(
        "Set property \(name) to '\(value)'... \(isNew ? 1 : 0) resource(s) updated.")
    }
  }
}
