// What hosts are told of a job when OAR 2's own commands and modules must find it there, as one of theirs.

import ClusterModel

/// OAR 2's place on a host, and what stands there for a job while it has the host.
public struct OAR2Files: Hashable, Codable, Sendable {
  /// OAR_RUNTIME_DIRECTORY: the directory of OAR's files.
  public var directory: String
  /// OAR's account.
  public var account: String
  /// The job's user.
  public var user: String
  /// The job's variables, for the file that `oarsh` reads.
  public var environment: [String: String]
  /// One line a resource, as in ``AttemptSpecification``.
  public var nodeFile: [String]
  public var resourceFile: [String]
  /// The name by which OAR's commands find the job's cgroups, such as `/oar/alice_12`; `nil` for a site without
  /// CPUSET_PATH, where OAR knows of no cgroups.
  public var cpuset: String?
  /// The job's key, if it has one.
  public var key: OAR2Key?

  public init(
    directory: String, account: String, user: String, environment: [String: String],
    nodeFile: [String], resourceFile: [String], cpuset: String?, key: OAR2Key? = nil
  ) {
    self.directory = directory
    self.account = account
    self.user = user
    self.environment = environment
    self.nodeFile = nodeFile
    self.resourceFile = resourceFile
    self.cpuset = cpuset
    self.key = key
  }
}

/// The key of a job (`oarsub -k`), as OAR's table `challenges` has it.
public struct OAR2Key: Hashable, Codable, Sendable {
  /// One line.
  public var publicKey: String
  /// A file's text. A secret.
  public var privateKey: String

  public init(publicKey: String, privateKey: String) {
    self.publicKey = publicKey
    self.privateKey = privateKey
  }
}

/// What the first host of a job needs beside its files.
public struct OAR2Attempt: Codable, Sendable {
  public var files: OAR2Files
  /// Where OAR 2's server listens: it is told of an end that no server of ours takes.
  public var server: String
  public var port: Int
  /// The job's secret, which proves to OAR 2's server who tells of the end. Never written to a disk.
  public var challenge: String
  /// PROLOGUE_EXEC_FILE and EPILOGUE_EXEC_FILE: programs of this host; `nil` for none.
  public var prologue: String?
  public var epilogue: String?
  /// PROLOGUE_EPILOGUE_TIMEOUT: seconds that each of them may take.
  public var hookLimit: Seconds

  public init(
    files: OAR2Files, server: String, port: Int, challenge: String, prologue: String? = nil,
    epilogue: String? = nil, hookLimit: Seconds = 60
  ) {
    self.files = files
    self.server = server
    self.port = port
    self.challenge = challenge
    self.prologue = prologue
    self.epilogue = epilogue
    self.hookLimit = hookLimit
  }
}
