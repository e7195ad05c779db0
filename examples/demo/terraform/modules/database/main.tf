resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_instance" "this" {
  identifier     = var.name
  engine         = "postgres"
  engine_version = "17.6"
  instance_class = "db.t4g.medium"

  allocated_storage = 50
  storage_encrypted = var.storage_encrypted
  kms_key_id        = var.storage_encrypted ? var.kms_key_arn : null

  username                    = "orders"
  manage_master_user_password = true

  db_subnet_group_name      = aws_db_subnet_group.this.name
  publicly_accessible       = false
  multi_az                  = true
  backup_retention_period   = 14
  deletion_protection       = true
  final_snapshot_identifier = "${var.name}-final"
}
