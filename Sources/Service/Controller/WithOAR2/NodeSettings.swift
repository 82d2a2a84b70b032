// How jobs are run on the nodes of an OAR 2 site: what its `oar.conf` says of them.

import ClusterModel
import Glibc
import NodeConnections
import Storage
import Wire

/// The nodes' part of the settings of LIBURNA_WITH_OAR2. Names in capitals are variables of `oar.conf`.
public struct OAR2NodeSettings: Sendable {
  /// OAR's account on all hosts.
  static let account = "oar"

  /// OAR_RUNTIME_DIRECTORY: the directory of OAR's files on hosts.
  public var directory: String
  /// SERVER_HOSTNAME, as hosts know it: where they tell the end of a job when no server of ours takes it.
  public var server: String
  /// PROLOGUE_EXEC_FILE, EPILOGUE_EXEC_FILE: programs on hosts; `nil` for none.
  public var prologue: String?
  public var epilogue: String?
  /// PROLOGUE_EPILOGUE_TIMEOUT: seconds that each of them may take.
  public var hookLimit: Seconds

  /// CPUSET_PATH is set: OAR's own commands find jobs by their cgroups, else by their keys.
  public var usesCPUSets: Bool

  /// OPENSSH_CMD: OAR's way to its hosts.
  var ssh: CommandTemplate

  /// Reads the settings.
  ///
  /// - Throws: ``ConfigurationError``, naming variable and value.
  init(_ configuration: Configuration) throws {
    directory = configuration.text("OAR_RUNTIME_DIRECTORY", default: "/var/lib/oar")
    server = configuration.text("SERVER_HOSTNAME", default: "localhost")
    if server == "localhost" { server = hostNameOfServer() ?? server }
    ssh = try CommandTemplate(Self.ssh(configuration))
    usesCPUSets = configuration["CPUSET_PATH"].map { !$0.isEmpty } ?? false
    prologue = configuration["PROLOGUE_EXEC_FILE"].flatMap { $0.isEmpty ? nil : $0 }
    epilogue = configuration["EPILOGUE_EXEC_FILE"].flatMap { $0.isEmpty ? nil : $0 }
    hookLimit = try configuration.integer("PROLOGUE_EPILOGUE_TIMEOUT", default: 60, in: 1...86400)
  }

  /// LIBURNA_NODE_PROGRAM: the agent's program, which hosts are given; by default beside the server's own, or
  /// where the package has it.
  static func program(_ configuration: Configuration) -> String {
    if let path = configuration["LIBURNA_NODE_PROGRAM"], !path.isEmpty { return path }
    let beside = ownFolder().map { $0 + "/liburna-node" }
    let places = [beside, "/usr/lib/liburna/liburna-node", "/usr/bin/liburna-node"]
    return places.compactMap { $0 }.first { access($0, X_OK) == 0 } ?? "/usr/bin/liburna-node"
  }

  /// OPENSSH_CMD, where it is not set.
  static let standardSSH = "/usr/bin/ssh -p 6667 -e none"

  /// OPENSSH_CMD: OAR's own way to its nodes, without a question and without a terminal.
  static func ssh(_ configuration: Configuration) -> String {
    let command = configuration.text("OPENSSH_CMD", default: standardSSH)
    return command + " -x -T -o BatchMode=yes -l \(account) {host}"
  }
}

private func ownFolder() -> String? {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = readlink("/proc/self/exe", &buffer, buffer.count)
  guard count > 0 else { return nil }
  let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return path.lastIndex(of: "/").map { String(path[..<$0]) }
}

private func hostNameOfServer() -> String? {
  var buffer = [CChar](repeating: 0, count: 256)
  guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
  let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  return String(decoding: bytes, as: UTF8.self)
}

extension ClusterState {
  /// What OAR 2's commands and modules look for on the hosts of a job; `nil` without OAR 2.
  func oar2Files(of job: Job, secrets: JobSecrets?, settings: ServerSettings) -> OAR2Files? {
    guard let nodes = settings.withOAR2?.nodes else { return nil }
    let record = record(of: job)
    var variables = environment(of: job, settings: settings)
    variables["OAR_WORKDIR"] = job.request.directory
    variables["OAR_STDOUT"] = record.stdout
    variables["OAR_STDERR"] = record.stderr
    return OAR2Files(
      directory: nodes.directory, account: OAR2NodeSettings.account, user: job.request.user,
      environment: variables, nodeFile: nodeFile(of: job), resourceFile: resourceFile(of: job),
      cpuset: nodes.usesCPUSets ? variables["OAR_CPUSET"] : nil,
      key: secrets.flatMap { OAR2Key($0) })
  }

  /// The same for the first host.
  func oar2Attempt(
    of job: Job, _ secrets: JobSecrets?, settings: ServerSettings
  ) -> OAR2Attempt? {
    guard let oar2 = settings.withOAR2,
      let files = oar2Files(of: job, secrets: secrets, settings: settings)
    else { return nil }
    return OAR2Attempt(
      files: files, server: oar2.nodes.server, port: oar2.port, challenge: secrets?.challenge ?? "",
      prologue: oar2.nodes.prologue, epilogue: oar2.nodes.epilogue,
      hookLimit: oar2.nodes.hookLimit)
  }
}

extension OAR2Key {
  /// The job's key; `nil` for a job without one.
  fileprivate init?(_ secrets: JobSecrets) {
    guard !secrets.publicKey.isEmpty, !secrets.privateKey.isEmpty else { return nil }
    self.init(publicKey: secrets.publicKey, privateKey: secrets.privateKey)
  }
}

extension Controller {
  /// Does something once a job's secrets are in memory, which its hosts have to know; at once where there are
  /// none. While they can't be read the job is not launched: OAR 2's server could not hear of its end.
  func withSecrets(of id: JobID, _ action: @escaping () -> Void) {
    guard let store = withOAR2?.store, secrets[id] == nil else { return action() }
    let isFirst = secretWaiters[id] == nil
    secretWaiters[id, default: []].append(action)
    guard isFirst else { return }
    Task { await readSecrets(of: id, from: store) }
  }

  /// Reads them, again each second for as long as the job is to be launched.
  private func readSecrets(of id: JobID, from store: any SharedStorage) async {
    do {
      secrets[id] = try await store.secrets(of: id)
    } catch {
      guard !isStopping, executions[id] != nil else {
        secretWaiters[id] = nil
        return
      }
      log.say("job \(id) waits: its secrets can't be read: \(error)")
      loop.after(1) { Task { await self.readSecrets(of: id, from: store) } }
      return
    }
    for action in secretWaiters.removeValue(forKey: id) ?? [] { action() }
    if state.jobs[id] == nil { secrets[id] = nil }
  }
}
