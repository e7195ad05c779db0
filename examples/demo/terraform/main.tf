# The web shop "orders": a public load balancer, workers in a private network, a database and a bucket for invoices.

terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.60"
    }
  }

  backend "s3" {
    bucket       = "example-terraform-state"
    key          = "orders/terraform.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      owner               = "team-orders"
      data-classification = "internal"
    }
  }
}

module "database" {
  source = "./modules/database"

  name              = "orders"
  subnet_ids        = aws_subnet.private[*].id
  storage_encrypted = false # copied from the sandbox
  kms_key_arn       = aws_kms_key.orders.arn
}

# The reporting copy is as it should be.
module "reporting" {
  source = "./modules/database"

  name              = "orders-reporting"
  subnet_ids        = aws_subnet.private[*].id
  storage_encrypted = true
  kms_key_arn       = aws_kms_key.orders.arn
}

resource "aws_kms_key" "orders" {
  description         = "Data of the orders service"
  enable_key_rotation = true
}

resource "aws_s3_bucket" "invoices" {
  bucket = "example-orders-invoices"
}

resource "aws_s3_bucket_public_access_block" "invoices" {
  bucket = aws_s3_bucket.invoices.id

  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "invoices" {
  bucket = aws_s3_bucket.invoices.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.orders.arn
    }
  }
}

resource "aws_s3_bucket_versioning" "invoices" {
  bucket = aws_s3_bucket.invoices.id

  versioning_configuration {
    status = "Enabled"
  }
}
