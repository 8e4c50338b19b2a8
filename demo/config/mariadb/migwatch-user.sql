-- The read-only user that migwatch logs in with; it needs no more than this.
-- SELECT: the version tables and information_schema's view of the schema.
CREATE USER 'migwatch'@'%' IDENTIFIED BY 'migwatch-demo';
GRANT SELECT ON `coe`.* TO 'migwatch'@'%';
-- PROCESS: who blocks whom, while a migration waits for a lock.
GRANT PROCESS ON *.* TO 'migwatch'@'%';
FLUSH PRIVILEGES;
