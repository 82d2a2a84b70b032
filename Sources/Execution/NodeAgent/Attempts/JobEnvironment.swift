// The environment of a job's processes: nothing of the agent's but a short list, then the user's, the
// job's and the names of its files.

import Glibc
import Wire

enum JobEnvironment {
  /// The only variables that pass from the agent to jobs.
  static let passed = ["LANG", "LC_ALL", "TZ"]
  static let userPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
  static let rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// The files that a job is told of.
  struct FileNames {
    var nodes: String
    var resources: String
    var directory: String
    var stdout: String?
    var stderr: String?
  }

  static func make(
    account: Account, job: [String: String], files: FileNames, group: String, terminal: String?
  ) -> [String: String] {
    var variables = base(account)
    variables["OAR_CPUSET"] = "/" + group
    variables.merge(job) { $1 }
    for name in ["OAR_NODEFILE", "OAR_NODE_FILE", "OAR_FILE_NODES", "OAR_RESOURCE_FILE"] {
      variables[name] = files.nodes
    }
    variables["OAR_RESOURCE_PROPERTIES_FILE"] = files.resources
    for name in ["OAR_WORKDIR", "OAR_WORKING_DIRECTORY", "OAR_O_WORKDIR"] {
      variables[name] = files.directory
    }
    variables["OAR_STDOUT"] = files.stdout
    variables["OAR_STDERR"] = files.stderr
    variables["OAR_KEY"] = "1"
    variables["TERM"] = terminal ?? "unknown"
    return variables
  }

  private static func base(_ account: Account) -> [String: String] {
    var variables: [String: String] = [:]
    for name in passed {
      if let value = getenv(name) { variables[name] = String(cString: value) }
    }
    variables["HOME"] = account.home
    variables["SHELL"] = account.shell
    variables["USER"] = account.name
    variables["LOGNAME"] = account.name
    variables["PATH"] = account.uid == 0 ? rootPath : userPath
    return variables
  }
}

/// A file's name in full: relative ones are below `directory`.
func fullPath(_ path: String, in directory: String) -> String {
  path.hasPrefix("/") ? path : "\(directory)/\(path)"
}

/// The name that a shell is called by: `-bash` for a login shell of `/bin/bash`.
func shellName(_ shell: String, isLogin: Bool) -> String {
  let name = shell.split(separator: "/").last.map(String.init) ?? shell
  return isLogin ? "-\(name)" : name
}
