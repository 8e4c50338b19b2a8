//! What MySQL and MariaDB take.

use super::check;

#[test]
fn tables_of_mysql_come_go_and_are_renamed() {
    check(&[
        ("CREATE TABLE users (id INT PRIMARY KEY)", "create_table users"),
        (
            "create table if not exists `users` (id int)",
            "create_table users if",
        ),
        (
            "CREATE TABLE `billing`.`invoices` LIKE invoices_old",
            "create_table billing.invoices",
        ),
        (
            "CREATE TABLE copied AS SELECT * FROM users",
            "create_table copied",
        ),
        (
            "CREATE TEMPORARY TABLE t (a INT); DROP TEMPORARY TABLE IF EXISTS t",
            "create_table t; DROP TEMPORARY TABLE on t if",
        ),
        (
            "CREATE OR REPLACE TABLE t (a INT)",
            "drop_table t if; create_table t",
        ),
        ("DROP TABLE users", "drop_table users"),
        (
            "DROP TABLE IF EXISTS `users`, billing.invoices CASCADE;",
            "drop_table users if; drop_table billing.invoices if",
        ),
        ("DROP TABLES a, b", "drop_table a; drop_table b"),
        (
            "RENAME TABLE a TO b, `c` TO db2.d",
            "rename_table a -> b; rename_table c -> db2.d",
        ),
        ("RENAME TABLE IF EXISTS a WAIT 5 TO b", "rename_table a -> b if"),
        ("RENAME USER 'a'@'%' TO 'b'@'%'", "RENAME USER"),
        ("ALTER TABLE a RENAME TO b", "rename_table a -> b"),
        ("ALTER TABLE a RENAME AS b", "rename_table a -> b"),
        ("ALTER TABLE a RENAME b", "rename_table a -> b"),
        ("TRUNCATE TABLE sessions", "truncate sessions"),
        ("TRUNCATE sessions", "truncate sessions"),
    ]);
}

#[test]
fn one_alter_table_of_mysql_gives_an_entry_a_clause() {
    check(&[
        (
            "ALTER TABLE t DROP COLUMN a, ADD COLUMN b INT NOT NULL, MODIFY c VARCHAR(20), RENAME TO u",
            "drop_column t.a; add_column t.b not null; alter_column t.c type VARCHAR(20) null; rename_table t -> u",
        ),
        ("ALTER TABLE t DROP a", "drop_column t.a"),
        (
            "ALTER TABLE t DROP COLUMN IF EXISTS a, DROP COLUMN b",
            "drop_column t.a if; drop_column t.b",
        ),
        (
            "ALTER TABLE IF EXISTS t WAIT 10 DROP COLUMN a",
            "drop_column t.a if",
        ),
        ("ALTER ONLINE IGNORE TABLE t DROP COLUMN a", "drop_column t.a"),
        ("ALTER TABLE t ADD a INT", "add_column t.a null"),
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT NULL AFTER b",
            "add_column t.a null if",
        ),
        (
            "ALTER TABLE t ADD COLUMN (a INT, b DECIMAL(10, 2) NOT NULL DEFAULT 0.5)",
            "add_column t.a null; add_column t.b not null default",
        ),
        (
            "ALTER TABLE t ADD (a INT NOT NULL, INDEX ix (a))",
            "add_column t.a not null; create_index ix on t",
        ),
        (
            "ALTER TABLE t ADD a TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
            "add_column t.a not null default",
        ),
        (
            "ALTER TABLE t ADD a VARCHAR(20) DEFAULT NULL COMMENT 'NOT NULL DEFAULT 1, DROP b'",
            "add_column t.a null",
        ),
        (
            "ALTER TABLE t ADD a INT GENERATED ALWAYS AS (b + 1) STORED",
            "add_column t.a null default",
        ),
        (
            "ALTER TABLE t ADD id BIGINT AUTO_INCREMENT PRIMARY KEY FIRST",
            "add_column t.id not null default",
        ),
        (
            "ALTER TABLE t ADD a ENUM('x','y, z') CHARACTER SET utf8mb4 NOT NULL",
            "add_column t.a not null",
        ),
    ]);
}

#[test]
fn a_changed_column_of_mysql_is_told_with_its_whole_definition() {
    check(&[
        (
            "ALTER TABLE t MODIFY COLUMN a VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT ''",
            "alter_column t.a type VARCHAR(255) not null default",
        ),
        (
            "ALTER TABLE t MODIFY IF EXISTS a INT UNSIGNED NOT NULL",
            "alter_column t.a type INT UNSIGNED not null if",
        ),
        (
            "ALTER TABLE t CHANGE a b BIGINT",
            "alter_column t.a -> b type BIGINT null",
        ),
        (
            "ALTER TABLE t CHANGE COLUMN `a` `a` ENUM('x', 'y') NOT NULL",
            "alter_column t.a type ENUM('x', 'y') not null",
        ),
        (
            "ALTER TABLE t ALTER a SET DEFAULT 5, ALTER COLUMN b DROP DEFAULT",
            "alter_column t.a default; alter_column t.b default",
        ),
        ("ALTER TABLE t RENAME COLUMN a TO b", "alter_column t.a -> b"),
        (
            "ALTER TABLE t RENAME INDEX a TO b, RENAME KEY c TO d",
            "ALTER TABLE RENAME INDEX on t; ALTER TABLE RENAME KEY on t",
        ),
        (
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            "ALTER TABLE CONVERT TO on t",
        ),
        (
            "ALTER TABLE t ENGINE=InnoDB, ALGORITHM=INPLACE, LOCK=NONE",
            "ALTER TABLE ENGINE on t",
        ),
        ("ALTER TABLE t ORDER BY a, b", "ALTER TABLE ORDER BY on t"),
        (
            "ALTER TABLE t ADD SYSTEM VERSIONING; ALTER TABLE t DROP SYSTEM VERSIONING",
            "ALTER TABLE ADD SYSTEM VERSIONING on t; drop history t",
        ),
        ("ALTER TABLE t DISCARD TABLESPACE", "drop tablespace t"),
        ("ALTER TABLE t DISABLE KEYS", "ALTER TABLE DISABLE KEYS on t"),
    ]);
}

#[test]
fn keys_of_mysql_are_indexes_and_constraints() {
    check(&[
        ("CREATE INDEX ix_a ON t (a)", "create_index ix_a on t"),
        (
            "CREATE UNIQUE INDEX ix USING BTREE ON billing.t (a)",
            "create_index ix on billing.t",
        ),
        ("CREATE FULLTEXT INDEX ft ON t (a)", "create_index ft on t"),
        ("CREATE OR REPLACE INDEX ix ON t (a)", "create_index ix on t"),
        ("DROP INDEX ix ON t", "drop_index ix on t"),
        (
            "DROP INDEX IF EXISTS `ix` ON `t` ALGORITHM=INPLACE",
            "drop_index ix on t if",
        ),
        (
            "ALTER TABLE t ADD INDEX ix (a), ADD KEY (b), ADD UNIQUE KEY uq (c), ADD FULLTEXT KEY ft (d)",
            "create_index ix on t; create_index ? on t; add_constraint uq on t; create_index ft on t",
        ),
        (
            "ALTER TABLE t ADD INDEX IF NOT EXISTS ix USING BTREE (a)",
            "create_index ix on t if",
        ),
        (
            "ALTER TABLE t ADD PRIMARY KEY (id), DROP PRIMARY KEY",
            "add_constraint PRIMARY on t; drop_constraint PRIMARY on t",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES users (id) ON DELETE SET NULL",
            "add_constraint fk on t to users",
        ),
        (
            "ALTER TABLE t ADD FOREIGN KEY IF NOT EXISTS fk (a) REFERENCES `billing`.`users` (id)",
            "add_constraint fk on t to billing.users if",
        ),
        ("ALTER TABLE t ADD CONSTRAINT UNIQUE (a)", "add_constraint ? on t"),
        (
            "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0 AND b IN (1, 2))",
            "add_constraint ck on t",
        ),
        (
            "ALTER TABLE t DROP INDEX ix, DROP KEY k, DROP FOREIGN KEY fk, DROP CONSTRAINT ck, DROP CHECK c2",
            "drop_index ix on t; drop_index k on t; drop_constraint fk on t; drop_constraint ck on t; drop_constraint c2 on t",
        ),
        (
            "ALTER TABLE t DROP FOREIGN KEY IF EXISTS fk",
            "drop_constraint fk on t if",
        ),
        (
            "ALTER TABLE t ALTER INDEX ix INVISIBLE",
            "ALTER TABLE ALTER INDEX on t",
        ),
    ]);
}

#[test]
fn with_a_partition_its_rows_go() {
    check(&[
        (
            "ALTER TABLE orders DROP PARTITION p0, p1",
            "drop partition orders.p0; drop partition orders.p1",
        ),
        (
            "ALTER TABLE orders DROP PARTITION IF EXISTS p0",
            "drop partition orders.p0 if",
        ),
        (
            "ALTER TABLE orders TRUNCATE PARTITION p0",
            "drop rows of partition orders.p0",
        ),
        ("ALTER TABLE orders TRUNCATE PARTITION ALL", "truncate orders"),
        (
            "ALTER TABLE orders ADD PARTITION (PARTITION p1 VALUES LESS THAN (10), PARTITION p2 VALUES LESS THAN (20))",
            "ALTER TABLE ADD PARTITION on orders",
        ),
        (
            "ALTER TABLE orders REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (9))",
            "ALTER TABLE REORGANIZE PARTITION on orders",
        ),
        (
            "ALTER TABLE orders PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (1), PARTITION p1 VALUES LESS THAN (2))",
            "ALTER TABLE PARTITION BY on orders",
        ),
        (
            "ALTER TABLE orders REMOVE PARTITIONING",
            "ALTER TABLE REMOVE PARTITIONING on orders",
        ),
    ]);
}

#[test]
fn rows_of_mysql_are_told_by_their_table() {
    check(&[
        ("INSERT INTO users (id) VALUES (1), (2)", "insert users"),
        ("INSERT IGNORE users SET id = 1", "insert users"),
        (
            "INSERT INTO users VALUES (1) ON DUPLICATE KEY UPDATE a = 1",
            "insert users; update users where",
        ),
        (
            "REPLACE INTO users VALUES (1)",
            "insert users; update users where",
        ),
        ("LOAD DATA LOCAL INFILE '/x.csv' INTO TABLE users", "insert users"),
        ("UPDATE users SET a = 1", "update users"),
        (
            "UPDATE LOW_PRIORITY IGNORE `users` SET a = 1 WHERE id = 3 LIMIT 1",
            "update users where",
        ),
        (
            "UPDATE users u JOIN orders AS o ON o.user = u.id SET o.a = (SELECT 1 WHERE 1) WHERE u.id = 1",
            "update orders where",
        ),
        ("UPDATE users u, orders o SET u.a = o.a", "update users"),
        (
            "UPDATE users SET a = (SELECT b FROM c WHERE c.id = 1)",
            "update users",
        ),
        ("DELETE FROM users", "delete users"),
        ("DELETE FROM users WHERE 1=1", "delete users"),
        ("DELETE FROM users WHERE true;", "delete users"),
        ("DELETE FROM users WHERE 1 = 1 AND id = 4", "delete users where"),
        (
            "DELETE QUICK FROM users WHERE id IN (SELECT user FROM gone)",
            "delete users where",
        ),
        (
            "DELETE u, o FROM users u JOIN orders o ON o.user = u.id WHERE u.id = 1",
            "delete users where; delete orders where",
        ),
        (
            "DELETE FROM u USING users AS u INNER JOIN orders o",
            "delete users",
        ),
    ]);
}

#[test]
fn what_else_mysql_drops_and_creates_is_told_by_its_kind() {
    check(&[
        ("DROP VIEW IF EXISTS v, w", "drop view v if; drop view w if"),
        (
            "DROP DATABASE shop; DROP SCHEMA IF EXISTS old",
            "drop database shop; drop schema old if",
        ),
        ("DROP TRIGGER IF EXISTS db.t", "drop trigger db.t if"),
        (
            "DROP PROCEDURE p; DROP FUNCTION IF EXISTS f; DROP EVENT e",
            "drop procedure p; drop function f if; drop event e",
        ),
        (
            "DROP USER 'u'@'%', v@localhost",
            "drop user u@%; drop user v@localhost",
        ),
        (
            "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY INVOKER VIEW v AS SELECT 1",
            "CREATE VIEW",
        ),
        (
            "CREATE DATABASE IF NOT EXISTS shop DEFAULT CHARACTER SET utf8mb4",
            "CREATE DATABASE if",
        ),
        ("CREATE USER 'u'@'%' IDENTIFIED BY 'secret'", "CREATE USER"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW SET NEW.a = 1; DROP TABLE x",
            "CREATE TRIGGER on users; drop_table x",
        ),
        ("SET FOREIGN_KEY_CHECKS = 0; SET @a := 1", "SET; SET"),
        (
            "LOCK TABLES users WRITE; UNLOCK TABLES",
            "LOCK on users; UNLOCK TABLES",
        ),
        (
            "GRANT SELECT, DELETE ON shop.users TO 'u'@'%'; GRANT ALL ON shop.* TO u",
            "GRANT on shop.users; GRANT",
        ),
        (
            "ANALYZE TABLE users; OPTIMIZE TABLE users; CHECK TABLE users",
            "ANALYZE on users; OPTIMIZE on users; query",
        ),
        ("ANALYZE UPDATE users SET a = 1", "update users"),
        (
            "USE shop; SELECT 1; SHOW TABLES; DESCRIBE users",
            "USE; query; query; query",
        ),
        ("ALTER DATABASE shop CHARACTER SET utf8mb4", "ALTER DATABASE"),
        ("DO SLEEP(1)", "query"),
        ("CALL cleanup()", "unreadable CALL cleanup ( )"),
        (
            "PREPARE s FROM @sql; EXECUTE s; DEALLOCATE PREPARE s",
            "unreadable PREPARE s FROM @ sql; unreadable EXECUTE s; DEALLOCATE",
        ),
    ]);
}
